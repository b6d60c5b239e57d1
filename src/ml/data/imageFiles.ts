import { extname } from 'node:path';

/** File extensions that are taken for images, lower case. */
export const imageExtensions: ReadonlySet<string> = new Set([
  ...['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.avif', '.gif', '.tif', '.tiff'],
  // Not decoded, but named as images: each is listed with its reason instead of being passed over.
  ...['.bmp', '.jp2', '.heic', '.heif'],
]);

/** Whether a file is an image by its name. */
export function isImageFile(name: string): boolean {
  return imageExtensions.has(extname(name).toLowerCase());
}
