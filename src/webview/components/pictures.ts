import { element } from './element.ts';

const keptPictures = 600;

export type Pictures = {
  /** An image element that fills as soon as the host has sent the picture. */
  image: (path: string, alternative: string) => HTMLImageElement;
  /** Takes a picture that has come. */
  arrived: (path: string, picture: string) => void;
};

/** Pictures of image files, asked for once and kept, the oldest forgotten first. */
export function pictureStore(ask: (path: string) => void): Pictures {
  const kept = new Map<string, string>();
  const waiting = new Map<string, Set<HTMLImageElement>>();
  return {
    image: (path, alternative) => {
      const image = element('img', { alt: alternative, draggable: 'false', class: 'picture' });
      const picture = kept.get(path);
      if (picture !== undefined) {
        image.src = picture;
        return image;
      }
      const others = waiting.get(path);
      if (others === undefined) ask(path);
      waiting.set(path, (others ?? new Set()).add(image));
      return image;
    },
    arrived: (path, picture) => {
      kept.delete(path);
      kept.set(path, picture);
      const oldest = kept.keys().next();
      if (kept.size > keptPictures && oldest.done !== true) kept.delete(oldest.value);
      for (const image of waiting.get(path) ?? []) image.src = picture;
      waiting.delete(path);
    },
  };
}
