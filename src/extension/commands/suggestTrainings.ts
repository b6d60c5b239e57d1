import type { DataSize, NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { givenConfigSchema, type RecipeName } from '../../protocol/trainingConfig.ts';
import type { FirstSettings, TrainingChoices } from './trainingChoices.ts';

/*
 * What Train Model offers first. It trains a head on frozen features, which is best with the hundreds to thousands of
 * images that most people have, and what a machine without a graphics card does in minutes.
 *
 * - Best accuracy: the features of DINOv2 small (Oquab et al. 2023), which reach more on other people's images than those of
 *   networks that learned ImageNet's classes, by the recipe `strong`. If that would take more than half an hour here, by
 *   `quick`, which passes over the images once; if even that would, the network for speed.
 * - Best without a download: if those weights are not here and others are, the same with the best of these: DINOv2 before
 *   others, and of others the one with the highest accuracy on ImageNet.
 * - Quick: MobileNetV4 small by the recipe `quick`; if its weights are not here and others are, the smallest of these.
 */

const accurateNetworks = [
  'timm/vit_small_patch14_dinov2.lvd142m',
  'timm/vit_small_patch14_reg4_dinov2.lvd142m',
  'timm/vit_base_patch14_dinov2.lvd142m',
  'timm/vit_base_patch14_reg4_dinov2.lvd142m',
] as const;
const quickNetwork = 'timm/mobilenetv4_conv_small.e2400_r224_in1k';
/** Longest training that is called best, in seconds. */
const patience = 30 * 60;

/** How fast this machine is with a network. */
export interface Speed {
  /** Images that it classifies per second. */
  readonly imagesPerSecond: number;
  /** Images per second that a head trains on its kept features. */
  readonly headPerSecond: number;
}

/** Of a network by its name; undefined where that was not measured. */
export type SpeedOf = (network: string) => Speed | undefined;

/** A whole training. */
export interface Suggestion {
  readonly aim: 'accuracy' | 'withoutDownload' | 'speed';
  readonly offer: NetworkOffer;
  readonly recipe: Exclude<RecipeName, 'report'>;
  /** Views of each training image that pass through the network. */
  readonly views: number;
  /** How long it takes here; undefined where that is not known. */
  readonly seconds?: number;
}

/** The networks whose speed decides what is suggested. */
export function networksToMeasure(offers: readonly NetworkOffer[]): string[] {
  return [...new Set(suggestTrainings(offers, undefined, () => undefined).map(({ offer }) => offer.name))];
}

/** What to offer first, for the networks on offer, the size of the data, and how fast this machine is. */
export function suggestTrainings(
  offers: readonly NetworkOffer[],
  data: DataSize | undefined,
  speedOf: SpeedOf,
): Suggestion[] {
  const named = (name: string) => offers.find((offer) => offer.name === name);
  const here = offers.filter(({ weightsHere }) => weightsHere);
  const hasQuick = named(quickNetwork)?.weightsHere === true || here.length === 0;
  const quick = hasQuick ? named(quickNetwork) : [...here].sort((a, b) => a.parameters - b.parameters)[0];
  const timed = (aim: Suggestion['aim'], offer: NetworkOffer, recipe: Suggestion['recipe']): Suggestion => {
    const [speed, plan] = [speedOf(offer.name), planOf(recipe)];
    const known = data && speed ? { seconds: secondsOf(data, plan, offer, speed) } : {};
    return { aim, offer, recipe, views: plan.views, ...known };
  };
  const best = (aim: Suggestion['aim'], offer: NetworkOffer | undefined): Suggestion[] => {
    if (offer === undefined) return [];
    const ways = (['strong', 'quick'] as const).map((recipe) => timed(aim, offer, recipe));
    const [way] = ways.filter(({ seconds }) => seconds === undefined || seconds <= patience);
    return [way ?? timed(aim, quick ?? offer, 'quick')];
  };
  const [most] = accurateNetworks.flatMap((name) => named(name) ?? []);
  const [ready] = [...here].sort((a, b) => rankOf(a) - rankOf(b) || (b.top1 ?? 0) - (a.top1 ?? 0));
  const suggestions = [
    ...best('accuracy', most),
    ...(most?.weightsHere === true ? [] : best('withoutDownload', ready)),
    ...(quick ? [timed('speed', quick, 'quick')] : []),
  ];
  // Where everything takes long, the quickest is the best too.
  return suggestions.filter((one, at) => suggestions.findIndex((other) => isSame(one, other)) === at);
}

function isSame(a: Suggestion, b: Suggestion): boolean {
  return a.offer === b.offer && a.recipe === b.recipe;
}

function rankOf({ name }: NetworkOffer): number {
  const place = accurateNetworks.findIndex((network) => network === name);
  return place < 0 ? accurateNetworks.length : place;
}

/** Images per step, and steps between two validations, where nothing else is chosen. */
const [batchSize, stepsToValidation] = [32, 40];
/** A head classifies so many images in the time in which it trains one. */
const classifiedPerTrained = 3;
/** Seconds that a validation with its checkpoints takes at least, and bytes of checkpoints that are written per second. */
const [leastValidation, writtenPerSecond] = [0.15, 6e8];
/** Seconds until a run has started and ended. */
const aroundIt = 4;

/**
 * Images are decoded once, and pass through the frozen layers once a view, those of validation once. Then the head trains
 * on what came of that, is validated several times an epoch, and each time the network is saved as `last` and often as `best`.
 */
function secondsOf(
  { train, valid, decodedPerSecond }: DataSize,
  { views, epochs }: Plan,
  { parameters }: NetworkOffer,
  { imagesPerSecond, headPerSecond }: Speed,
): number {
  const decoding = decodedPerSecond === undefined ? 0 : (train + valid) / decodedPerSecond;
  const passes = (views * train + valid) / imagesPerSecond;
  const steps = Math.ceil(train / batchSize);
  const validations = epochs * Math.ceil(steps / stepsToValidation);
  const saving = (2 * 4 * parameters) / writtenPerSecond;
  const each = leastValidation + valid / (classifiedPerTrained * headPerSecond) + saving;
  return aroundIt + decoding + passes + (epochs * train) / headPerSecond + validations * each;
}

interface Plan {
  /** Views of each training image that pass through the network. */
  readonly views: number;
  readonly epochs: number;
}

/** What frozen layers make of an image is kept where an epoch shows it as another one did. */
function planOf(recipe: RecipeName): Plan {
  const network = { kind: 'architecture', name: quickNetwork } as const;
  const settings = withRecipe({ data: '.', network, method: 'head', recipe });
  const { augment, featureViews, epochs } = givenConfigSchema.parse(settings);
  return { views: featureViews ?? (augment === 'none' ? 1 : epochs), epochs };
}

/** The answers that a suggestion stands for. It is a whole training: nothing of the last one stays but its data. */
export function withSuggestion(
  choices: TrainingChoices,
  { offer, recipe }: Suggestion,
  { batchSize }: Pick<FirstSettings, 'batchSize'>,
): TrainingChoices {
  const { name, isTransformer } = offer;
  return {
    ...choices,
    network: { kind: 'architecture', name, pretrained: true, isTransformer },
    method: 'head',
    recipe,
    batchSize,
    balanced: false,
    int8: false,
  };
}
