import * as z from 'zod';
import { between, mostHiddenLayers, mostHiddenUnits, mostPixels, path, positive, text, whole } from './bounded.ts';
import { fits, interpolations, preprocessingSchema } from './preprocessing.ts';
import { hubPinSchema } from './timmConfig.ts';

/** Version of the `*.fivecrop.json` format; a newer one is refused. */
export const trainingConfigVersion = 1;

export const methods = ['head', 'top', 'lora', 'full', 'scratch'] as const;
export const optimizers = ['adam', 'adamw', 'sgd'] as const;
export const schedules = ['constant', 'step', 'cosine'] as const;
/** Recipes by name; `recipes.ts` has what they set. */
export const recipeNames = ['report', 'quick', 'strong'] as const;
export type RecipeName = (typeof recipeNames)[number];
/** How the images of an epoch are drawn. */
export const samplings = ['all', 'balanced'] as const;
export const augmentations = ['report', 'crop', 'none', 'trivial', 'rand'] as const;
/** How the tokens of a transformer become features: the first one, the mean over the patches, or both side by side. */
export const pools = ['cls', 'mean', 'cls+mean'] as const;
export type Pool = (typeof pools)[number];
export const precisions = ['float32', 'int8'] as const;
export type Precision = (typeof precisions)[number];
export const engineChoices = ['auto', 'onnx', 'tensorflow'] as const;
/** How a data folder is read. */
export const layouts = ['auto', 'splits', 'classes'] as const;
export type Layout = (typeof layouts)[number];
export type DecidedLayout = Exclude<Layout, 'auto'>;
export const deviceChoices = ['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml', 'gpu'] as const;

const fraction = between(0, 1);
/** Dropout of a head's hidden layers where none is set. */
export const headDropout = 0.5;
/** More steps or epochs than anyone trains. */
const many = 1_000_000_000;

/**
 * Everything that says how a run trains: the `config` of `run.json` and, but for what may be `auto` there (`givenConfigSchema`),
 * the content of a `*.fivecrop.json` file and the command line's flags. Descriptions become the hover texts in the editor and the help of the flags.
 */
export const trainingConfigSchema = z.strictObject({
  $schema: text(32_767).optional(),
  version: z.literal(trainingConfigVersion).default(trainingConfigVersion),
  recipe: z
    .enum(recipeNames)
    .optional()
    .describe(
      'Recipe for the settings that are not set here: `report` is the defaults, `quick` trains a head for 30 epochs on one view of each image, or more than a head for 5; `strong` takes eight views, or 30 epochs with augmentation, and averages the weights.',
    ),
  data: path().describe('Folder of images: `train/valid/test/<class>`, or `<class>` alone, which is then split.'),
  network: z
    .discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('architecture'),
        name: text(1000, 1).describe(
          'A network by torchvision’s name (`resnet18`, `densenet169`), by the hub’s (`timm/NAME.TAG`), or the report’s `ConvNet2`.',
        ),
        weights: path()
          .optional()
          .describe(
            'Pretrained weights: a `.safetensors` or `.pth` file, or the name of a published set, such as `IMAGENET1K_V2`. If not set, the network’s first set is downloaded.',
          ),
        hub: hubPinSchema
          .optional()
          .describe(
            'For a network of the hub: the commit and file that the name stands for. A run records it; if not set, the table’s or the newest is taken.',
          ),
      }),
      z.strictObject({
        kind: z.literal('backbone'),
        file: path().describe(
          'An ONNX file used as a frozen feature extractor, or the short name of one on the hub: `dinov2-small`.',
        ),
        featuresOutput: text(10_000, 1)
          .optional()
          .describe('Name of its features output. Found automatically if possible.'),
        pool: z
          .enum(pools)
          .optional()
          .describe(
            'How tokens `[N, T, D]` become features: `cls` takes the first, the class token; `mean` the mean over the patches, without class and register tokens; `cls+mean` both. If not set, `mean`.',
          ),
        preprocessing: preprocessingSchema.partial().optional().describe('What the file expects of its pixels.'),
        licence: text(200, 1).optional().describe('License of the file, which is kept in checkpoints and exports.'),
      }),
    ])
    .describe('The network to train.'),
  method: z
    .enum(methods)
    .default('head')
    .describe(
      '`head`: the new classifier only. `top`: the last tensors. `lora`: the classifier, and a small adapter beside each Linear of a transformer, whose own weights stay as they are (Hu et al. 2021). `full`: everything, from pretrained weights. `scratch`: everything, from random weights.',
    ),
  topTensors: whole(1, 100_000)
    .optional()
    .describe('For `top`: how many parameter tensors train, counted from the end, including the head’s.'),
  loraRank: whole(1, 4096).optional().describe('For `lora`: rank of the adapters. If not set, 8.'),
  loraAlpha: positive(100_000)
    .optional()
    .describe(
      'For `lora`: the output of an adapter is multiplied by this number divided by the rank. If not set, the rank.',
    ),
  batchNorm: z
    .enum(['running', 'batch'])
    .optional()
    .describe(
      'Statistics of batch norm while training. By default `running` for `head`, `top` and `lora`, `batch` for `full` and `scratch`.',
    ),
  classNames: path()
    .optional()
    .describe('JSON file that names the class folders. If not set, `cat_to_name.json` beside the data is used.'),
  hidden: z
    .array(whole(1, mostHiddenUnits))
    .max(mostHiddenLayers, `expected at most ${mostHiddenLayers} hidden layers`)
    .default([1024])
    .describe('Sizes of the head’s hidden layers; empty for a linear head.'),
  dropout: between(0, 0.95)
    .optional()
    .describe(
      'Dropout after each hidden layer of the head, and in the network itself (AlexNet, EfficientNet, GoogLeNet, Inception, MNASNet, MobileNet, VGG) if all layers after it train; 0 for none. If not set, 0.5 in the head and torchvision’s rates in the network.',
    ),
  dropPath: between(0, 0.9)
    .default(0)
    .describe(
      'Stochastic depth: the branch of a residual block is left out for an image with a probability that rises to this one in the last block.',
    ),
  epochs: whole(1, 1_000_000).default(5).describe('Passes over the training images.'),
  batchSize: whole(1, 4096).default(32),
  optimizer: z.enum(optimizers).default('adam').describe('The optimizer.'),
  learningRate: positive(1000).default(0.001),
  momentum: between(0, 0.999).default(0.9).describe('Momentum of SGD.'),
  weightDecay: between(0, 1000)
    .default(0)
    .describe('Weight decay: L2 in the gradient for Adam and SGD, decoupled for AdamW.'),
  schedule: z.enum(schedules).default('constant').describe('How the learning rate changes over the run.'),
  warmupSteps: whole(0, many).default(0).describe('Steps over which the learning rate rises from 0.'),
  stepEpochs: whole(1, many).default(2).describe('For the `step` schedule: epochs between two drops.'),
  stepFactor: fraction
    .default(0.1)
    .describe('For the `step` schedule: what the learning rate is multiplied by at a drop.'),
  layerDecay: between(0.1, 1)
    .default(1)
    .describe('Learning rate of each layer as a share of that of the next layer; the head has all of it.'),
  unfreezeEpochs: whole(0, 1_000_000)
    .default(0)
    .describe(
      'Epochs over which the layers begin to train, from the head back: the head alone in the first epoch, all layers after this many. 0 trains all from the start.',
    ),
  emaDecay: between(0, 0.999999)
    .optional()
    .describe(
      'Decay of a moving average of the weights: at each step this share is the old average. Validation, checkpoints and exports use the average; a resume continues both. If not set, there is no average.',
    ),
  minLearningRate: between(0, 1000).default(0).describe('For the `cosine` schedule: what the learning rate falls to.'),
  labelSmoothing: between(0, 0.9).default(0).describe('Share of the target that is spread over all classes.'),
  classWeights: z
    .enum(['none', 'balanced'])
    .default('none')
    .describe('`balanced` weighs a class by the inverse of its number of training images.'),
  sampling: z
    .enum(samplings)
    .default('all')
    .describe(
      '`all` shows each training image once per epoch. `balanced` shows every class equally often: images of small classes come up several times.',
    ),
  focalGamma: between(0, 10)
    .default(0)
    .describe(
      'Gamma of the focal loss, which gives less weight to images that are already classified well; 0 for cross-entropy.',
    ),
  mixup: between(0, 100)
    .default(0)
    .describe('Alpha of mixup: each image and its class are blended with another of the batch; 0 for none.'),
  cutmix: between(0, 100)
    .default(0)
    .describe(
      'Alpha of CutMix: a rectangle of each image, and its share of the class, comes from another of the batch; 0 for none. With mixup too, each batch gets one of the two.',
    ),
  clipNorm: positive(many)
    .optional()
    .describe('Largest norm of all gradients together; larger ones are scaled down to it.'),
  augment: z
    .enum(augmentations)
    .default('report')
    .describe(
      '`report`: rotation within ±30°, center crop, flip. `crop`: random resized crop, flip, color jitter. `none`: as in validation. `trivial` and `rand`: random resized crop, flip, and torchvision’s TrivialAugmentWide or RandAugment.',
    ),
  randOps: whole(1, 10).default(2).describe('For `rand`: operations on each image.'),
  randMagnitude: whole(0, 30).default(9).describe('For `rand`: strength of the operations, 0 to 30.'),
  verticalFlip: z.boolean().default(false).describe('Flips half of the training images upside down.'),
  quarterTurns: z.boolean().default(false).describe('Turns training images by 0, 90, 180 or 270 degrees.'),
  erase: fraction
    .default(0)
    .describe('Probability of random erasing: a rectangle of the image gets the mean color of the pixels.'),
  featureViews: whole(1, 10_000)
    .optional()
    .describe(
      'For `head` and `top`: number of augmented views of each image. Their features are computed once and kept, so that later epochs are many times faster. If not set, every epoch has new views.',
    ),
  frozenPrecision: z
    .enum(precisions)
    .default('float32')
    .describe(
      'For `head` and `top`: precision of the frozen layers. `int8` (8 bits) takes a third to half of the time on CPUs and changes their features by some percent, which the run’s log says; checkpoints, validation and everything that trains stay in `float32`.',
    ),
  validateEvery: whole(1, many).default(40).describe('Steps between two validations; each epoch ends with one too.'),
  earlyStop: whole(0, many)
    .optional()
    .describe('Stops after this many epochs without a better validation loss, and keeps the best; 0 never does.'),
  keepEpochs: z.boolean().default(false).describe('Keeps a checkpoint of every epoch beside best and last.'),
  tensorboard: z
    .boolean()
    .default(false)
    .describe(
      'Writes the curves into the run’s folder as an event file of TensorBoard too: `tensorboard --logdir runs`.',
    ),
  imageSize: whole(1, mostPixels)
    .optional()
    .describe(
      'Side of the square that the network sees, in pixels. If not set, that of its pretrained weights: 224 for most.',
    ),
  resize: whole(1, mostPixels)
    .optional()
    .describe(
      'Short side to which images are resized before the crop. If not set, 255 for images of 224 pixels and less, that of the pretrained weights for their own size, and otherwise in proportion.',
    ),
  startSize: whole(1, mostPixels)
    .optional()
    .describe(
      'For `full` and `scratch`: side of the training images in the first epoch, from which they grow evenly to the image size in the last one. Sides below that are rounded to a multiple of 32 pixels, or of what the network needs.',
    ),
  fit: z
    .enum(fits)
    .optional()
    .describe(
      'How an image becomes the square that the network sees: `crop` cuts it from the center, `pad` shows the whole image with black on both sides, `squash` shows the whole image and changes its proportions. If not set, `crop`.',
    ),
  interpolation: z
    .enum(interpolations)
    .optional()
    .describe('Filter of the resize. If not set, that of the pretrained weights.'),
  validShare: fraction.default(0.15).describe('Share of the images for validation if the folder has no split.'),
  testShare: fraction.default(0.15).describe('Share of the images for testing if the folder has no split.'),
  layout: z
    .enum(layouts)
    .default('auto')
    .describe(
      'What the folders of the data are: `splits` (`train` and the like) with class folders inside, or `classes`. `auto` decides by their names and refuses what can be read either way.',
    ),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(0).describe('Seed of weights, order, augmentation and dropout.'),
  engine: z.enum(engineChoices).default('auto').describe('The engine: ONNX Runtime or TensorFlow.js.'),
  device: z.enum(deviceChoices).default('auto').describe('The device to compute on.'),
  cacheMegabytes: between(0, 100_000_000)
    .default(2048)
    .describe('Memory for decoded images and kept features; what does not fit goes to the disk.'),
  pinnedImages: whole(0, 16)
    .default(0)
    .describe('Validation images whose five-crop prediction is recorded at every validation.'),
});
/** A configuration with every default filled in. */
export type TrainingConfig = z.infer<typeof trainingConfigSchema>;

/** A configuration as files and flags give it: what is `auto` in it becomes a number once the images are counted. */
export const givenConfigSchema = trainingConfigSchema.extend({
  batchSize: z
    .union([whole(1, 4096), z.literal('auto')], 'expected a whole number from 1 to 4096, or auto')
    .default(32)
    .describe('Images per step; `auto` chooses by the number of images and says so in the run’s log.'),
  learningRate: z
    .union([positive(1000), z.literal('auto')], 'expected a number above 0, at most 1000, or auto')
    .default(0.001)
    .describe(
      'Learning rate; the peak if a schedule changes it. `auto` chooses by method, network, optimizer and batch size and says so in the run’s log.',
    ),
});
export type GivenConfig = z.infer<typeof givenConfigSchema>;
/** The sizes of images that a network's weights were trained with, in pixels. */
export interface UsualSizes {
  readonly crop: number;
  readonly resize?: number;
}

/**
 * Side of a configuration's images, and the short side that they are resized to before. Where it does not say, the side is
 * the network's usual one, and the short side the usual one for that if the side is above 224; else the report's 255 to 224.
 */
export function imageSizesOf(
  config: Pick<TrainingConfig, 'resize' | 'imageSize'>,
  usual: UsualSizes,
): { readonly crop: number; readonly resize: number } {
  const crop = config.imageSize ?? usual.crop;
  const report = Math.max(255, Math.min(mostPixels, Math.round((crop * 255) / 224)));
  const own = crop > 224 && crop === usual.crop ? usual.resize : undefined;
  return { crop, resize: config.resize ?? own ?? report };
}

/** Rank and alpha of the adapters that the method `lora` trains. */
export function adapterOptionsOf({
  loraRank = 8,
  loraAlpha = loraRank,
}: Pick<TrainingConfig, 'loraRank' | 'loraAlpha'>): {
  readonly rank: number;
  readonly alpha: number;
} {
  return { rank: loraRank, alpha: loraAlpha };
}

/** A configuration as a user writes it. */
export type TrainingConfigInput = z.input<typeof givenConfigSchema>;
