/** Endings of the image files that can be decoded, lower case, without the dot: what menus and dialogs offer. */
export const decodedEndings: readonly string[] = 'jpg jpeg jpe jfif png webp avif gif tif tiff'.split(' ');

/** Endings of images that cannot: among others they are listed with the reason instead of being passed over. */
export const undecodedEndings: readonly string[] = 'bmp jp2 heic heif'.split(' ');

const endings = new Set([...decodedEndings, ...undecodedEndings]);

/** Whether a file is an image by its name, decodable or not. */
export function isImageFile(name: string): boolean {
  const dot = name.lastIndexOf('.');
  // A name that is an ending alone is that of a hidden file.
  return dot > 0 && endings.has(name.slice(dot + 1).toLowerCase());
}
