import { messageOf, UserError, userError } from '../../protocol/errors.ts';
import { decodeSeconds, maxAspectRatio, maxImagePixels } from './imageLimits.ts';

/** What decoders and the system say of a file, and what that means to a user. The first pattern that fits counts. */
const reasons: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/pixel limit/i, `The image has more than ${maxImagePixels / 1e6} million pixels; save a smaller copy to use it.`],
  [
    /aspect ratio/i,
    `One side of the image is more than ${maxAspectRatio} times as long as the other; crop it to use it.`,
  ],
  [
    /premature end|truncated|unexpected end|libpng read error|unexpected eof|partial data|end of file|NotEnoughPixelData|UnableToReadImageData|InsufficientImageData|Not enough data/i,
    'The file is cut short or damaged; replace it with a complete copy.',
  ],
  [/is missing|no such file|ENOENT/i, 'The file is no longer there.'],
  [/permission|EACCES|EPERM/i, 'The file cannot be read by this user; change its permissions.'],
  [/timeout/i, `The file takes longer than ${decodeSeconds} s to decode; save a smaller copy to use it.`],
  [
    /compression support is not configured|compression scheme|CompressNotSupported/i,
    'The compression of the file cannot be read; save it in another way, as with deflate or none, or as PNG.',
  ],
  [
    /unsupported image format|unsupported codec|no decod|compression format has not been built/i,
    'The file is not in a format that can be read; save it as JPEG or PNG.',
  ],
  [
    /corrupt header(?!: tiff2vips)|invalid frame/i,
    'The header of the file is damaged; replace it with a complete copy.',
  ],
];

/** What went wrong with an image as a user error, whose message is a sentence that says what to do. */
export function undecodable(error: unknown): UserError {
  if (error instanceof UserError) return error;
  const message = messageOf(error);
  const known = reasons.find(([pattern]) => pattern.test(message));
  return userError(
    known?.[1] ?? 'The file is damaged or of a kind that cannot be read; save it again as JPEG or PNG.',
    error,
  );
}
