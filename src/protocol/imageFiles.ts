/** Endings of the image files that can be decoded, lower case, without the dot: what menus and dialogs offer. */
export const decodedEndings: readonly string[] =
  'jpg jpeg jpe jfif mpo png apng webp avif gif tif tiff bmp dib ppm pgm pbm pnm tga heic heics heif hif avifs jxl qoi'.split(
    ' ',
  );

/** Endings of raw files of cameras, most of which are TIFFs whose first picture is a thumbnail. */
export const cameraRawEndings: readonly string[] =
  '3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf rw2 rwl sr2 srf srw x3f'.split(' ');

/** Endings of images that cannot be decoded: among others they are listed with the reason instead of being passed over. */
export const undecodedEndings: readonly string[] = [
  ...'jp2 j2k jpf jpx jpm jxr wdp psd psb xcf svg svgz pdf eps ai ico cur icns exr hdr pfm pam dds'.split(' '),
  ...'sgi pcx xbm xpm dcm fits'.split(' '),
  ...cameraRawEndings,
];

const endings = new Set([...decodedEndings, ...undecodedEndings]);

/** The ending of a file's name, lower case, without the dot. */
export function endingOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

/** Whether a file is an image by its name, decodable or not. */
export function isImageFile(name: string): boolean {
  // A name that is an ending alone is that of a hidden file.
  return name.lastIndexOf('.') > 0 && endings.has(endingOf(name));
}
