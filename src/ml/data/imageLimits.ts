/** Larger images are refused: decoded, 16 bits and alpha included, they would take more than 1 GB. */
export const maxImagePixels = 120_000_000;
/** Narrower images are refused: resized by their short side they would be of any size. */
export const maxAspectRatio = 64;
/** Longest time that one file may take to decode. */
export const decodeSeconds = 60;
/** Images in formats that are held in memory several times while they are decoded. */
export const maxRareImagePixels = 50_000_000;
/** Files of those formats. */
export const maxRareImageBytes = 256 * 2 ** 20;
