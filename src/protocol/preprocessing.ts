import * as z from 'zod';
import { between, mostPixels, whole } from './bounded.ts';

/** Far more than networks want of their pixels: those of 0 to 1 have a mean of about 0.5, those of 0 to 255 about 120. */
const mostLevel = 65_536;

/** Filters of a resize. */
export const interpolations = ['bilinear', 'bicubic', 'lanczos'] as const;
export type Interpolation = (typeof interpolations)[number];

/**
 * How an image becomes a square: `crop` cuts it from the center, `pad` shows the whole image with black on both sides of
 * the short one, `squash` shows the whole image and gives up its proportions.
 */
export const fits = ['crop', 'pad', 'squash'] as const;
export type Fit = (typeof fits)[number];

/** Whether a network sees the whole image, so that there is one crop and never five; `undefined` is `crop`. */
export function seesWholeImage(fit: Fit | undefined): boolean {
  return fit !== undefined && fit !== 'crop';
}

/**
 * How decoded pixels (8-bit RGB) become a network's input: resize, crop or pad to a square, then per channel
 * `(pixel * scale - mean) / std` in the given channel order.
 */
export const preprocessingSchema = z.object({
  /** Short side after the resize, in pixels; with the fit `pad` the long side, with `squash` both, and then it is `crop`. */
  resize: whole(1, mostPixels),
  /** Filter of the resize, which is antialiased; bilinear without it. */
  interpolation: z.enum(interpolations).optional(),
  /** How the image becomes a square; `crop` without it. */
  fit: z.enum(fits).optional(),
  /** Side of the square that the network sees. */
  crop: whole(1, mostPixels),
  scale: between(1e-6, mostLevel),
  mean: z.array(between(-mostLevel, mostLevel)).length(3),
  std: z.array(between(1e-6, mostLevel)).length(3),
  channels: z.enum(['rgb', 'bgr']),
});
export type Preprocessing = z.infer<typeof preprocessingSchema>;

/** Names that `--preprocess` takes. Mean and std are in the order of `channels`. */
export const preprocessPresets = {
  /** torchvision and timm: 0 to 1, ImageNet's mean and standard deviation. */
  imagenet: { scale: 1 / 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], channels: 'rgb' },
  /** TensorFlow's MobileNet and Inception: -1 to 1. */
  tf: { scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1], channels: 'rgb' },
  /** Caffe's networks: blue first, 0 to 255 less the mean. */
  'caffe-bgr': { scale: 1, mean: [104, 117, 123], std: [1, 1, 1], channels: 'bgr' },
} as const satisfies Record<
  string,
  Omit<Preprocessing, 'resize' | 'crop' | 'mean' | 'std'> & { mean: readonly number[]; std: readonly number[] }
>;

export type PreprocessPreset = keyof typeof preprocessPresets;

/** A preset's constants, free to change. */
export function presetConstants(preset: PreprocessPreset): Omit<Preprocessing, 'resize' | 'crop'> {
  const { scale, mean, std, channels } = preprocessPresets[preset];
  return { scale, mean: [...mean], std: [...std], channels };
}
