/** An image file's bytes in memory, such as those of an upload. */
export interface ImageBytes {
  /** What the image is called in answers. Its ending says which format is meant where the bytes leave a doubt. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** An image to be decoded: the path of a file, or its bytes. */
export type ImageInput = string | ImageBytes;

/** What answers call an image. */
export function nameOfImage(input: ImageInput): string {
  return typeof input === 'string' ? input : input.name;
}
