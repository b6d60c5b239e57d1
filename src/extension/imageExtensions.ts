/** Endings of files that are offered as images, as in package.json's menus. */
export const imageExtensions = ['jpg', 'jpeg', 'png', 'webp', 'avif', 'gif', 'tif', 'tiff', 'bmp'] as const;
