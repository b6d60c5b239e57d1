import * as z from 'zod';
import { between, list, mostClasses, mostPixels, text, whole } from './bounded.ts';

/** A size, a choice, a switch, or a list of sizes: what timm's constructors take. */
const argumentSchema = z.union([
  between(-1e9, 1e9),
  z.boolean(),
  text(200),
  z.null(),
  list(z.union([between(-1e9, 1e9), text(200), z.null()]), 100),
]);

const side = whole(1, mostPixels);
const threeNumbers = between(-10, 10);

/**
 * What the file `config.json` of a network on the hub says, under the names that timm gives it there. What else the
 * file says is left out.
 */
export const timmConfigSchema = z.object({
  /** The function of timm that builds the network: `vit_small_patch14_dinov2`. */
  architecture: text(200, 1),
  /** Classes of its own classifier; 0 where it has none. */
  num_classes: whole(0, mostClasses),
  /** Number of features that the classifier sees. */
  num_features: whole(1, 1_000_000),
  /** How features are pooled: `avg`, `token`, `` and others. The architecture's own way without it. */
  global_pool: text(50).nullish(),
  /** Arguments of the function that are not its defaults. */
  model_args: z.record(text(200), argumentSchema).nullish(),
  /** What its images are. */
  pretrained_cfg: z.object({
    input_size: z.tuple([z.literal(3), side, side]),
    fixed_input_size: z.boolean().nullish(),
    interpolation: text(50).nullish(),
    crop_pct: between(0.05, 1).nullish(),
    crop_mode: text(50).nullish(),
    mean: z.tuple([threeNumbers, threeNumbers, threeNumbers]).nullish(),
    std: z.tuple([threeNumbers, threeNumbers, threeNumbers]).nullish(),
    license: text(200).nullish(),
  }),
});
export type TimmConfig = z.infer<typeof timmConfigSchema>;
/** What timm builds a network from. */
export type TimmArchitecture = Pick<TimmConfig, 'architecture' | 'num_features' | 'global_pool' | 'model_args'>;

/**
 * What a name of the hub stood for when a run began with it: with these facts the same file is fetched again, and the same
 * network is built, whatever lies there later.
 */
export const hubPinSchema = z.object({
  /** Commit of the repository; absent for a file that a user has put into the weights folder. */
  commit: z
    .string()
    .regex(/^[0-9a-f]{40}$/u, 'expected a commit of 40 digits')
    .optional(),
  /** Of the file of weights. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/u, 'expected a hash of 64 digits'),
  bytes: whole(1, Number.MAX_SAFE_INTEGER),
  /** As the hub names it: `apache-2.0`. */
  licence: text(200).optional(),
  /** How the network is built, for a name that no table lists. */
  config: timmConfigSchema.optional(),
});
export type HubPin = z.infer<typeof hubPinSchema>;
