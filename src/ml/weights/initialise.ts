import { createRandom, type Random } from '../graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { moduleOf, type StateShapes } from './stateShapes.ts';

/** Networks whose constructors in torchvision draw weights alike; `convnet` is torch's defaults throughout. */
export type InitialisationFamily = 'resnet' | 'densenet' | 'squeezenet' | 'convnet';

/** How a tensor's values are drawn. */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in [-bound, bound). */
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly std: number };

const zero: Distribution = { kind: 'constant', value: 0 };
const one: Distribution = { kind: 'constant', value: 1 };

/** Inputs that one output of a convolution `[O, I/groups, kH, kW]` or a Linear `[out, in]` sums over. */
function fanIn(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}

/** As torch counts it: output channels times the kernel's size. */
function fanOut(shape: readonly number[]): number {
  return (shape[0] ?? 1) * elementCount(shape.slice(2));
}

/** torch's default for the weights and biases of Conv2d and Linear: kaiming_uniform_ with a = sqrt(5), which is 1 / sqrt(fan_in). */
function torchDefault(weightShape: readonly number[]): Distribution {
  return { kind: 'uniform', bound: 1 / Math.sqrt(fanIn(weightShape)) };
}

const convolutionWeight: Readonly<Record<InitialisationFamily, (shape: readonly number[]) => Distribution>> = {
  convnet: torchDefault,
  resnet: (shape) => ({ kind: 'normal', std: Math.sqrt(2 / fanOut(shape)) }),
  densenet: (shape) => ({ kind: 'normal', std: Math.sqrt(2 / fanIn(shape)) }),
  squeezenet: (shape) => ({ kind: 'uniform', bound: Math.sqrt(6 / fanIn(shape)) }),
};

/** The convolution that SqueezeNet classifies with. */
const squeezenetClassifier = 'classifier.1';
/** DenseNet's own classifier; a head in its place has longer names and torch's defaults. */
const densenetClassifier = 'classifier';

function ofConvolution(family: InitialisationFamily, name: string, weightShape: readonly number[]): Distribution {
  const isBias = name.endsWith('.bias');
  if (isBias) return family === 'squeezenet' ? zero : torchDefault(weightShape);
  if (family === 'squeezenet' && moduleOf(name) === squeezenetClassifier) return { kind: 'normal', std: 0.01 };
  return convolutionWeight[family](weightShape);
}

function ofLinear(family: InitialisationFamily, name: string, weightShape: readonly number[]): Distribution {
  return family === 'densenet' && name === `${densenetClassifier}.bias` ? zero : torchDefault(weightShape);
}

/**
 * How torchvision's constructor of a family fills a tensor, told by its name and its module's weight: ResNet by
 * kaiming_normal_ over fan_out, DenseNet by kaiming_normal_ over fan_in, SqueezeNet by kaiming_uniform_ (He et al. 2015,
 * https://arxiv.org/abs/1502.01852); batch norm is 1 and 0; the rest are torch's defaults.
 * Throws where a bias has no weight beside it, which is a bug of the caller.
 */
export function distributionOf(family: InitialisationFamily, name: string, shapes: StateShapes): Distribution {
  if (name.endsWith('.running_var')) return one;
  if (name.endsWith('.running_mean') || name.endsWith('.num_batches_tracked')) return zero;
  const weightShape = shapes.get(`${moduleOf(name)}.weight`);
  if (!weightShape) throw new Error(`there is no weight beside ${name}`);
  if (weightShape.length === 4) return ofConvolution(family, name, weightShape);
  if (weightShape.length === 2) return ofLinear(family, name, weightShape);
  return name.endsWith('.weight') ? one : zero;
}

/** Both numbers of each Box-Muller pair are used. */
function fillNormal(data: Float32Array, std: number, random: Random): void {
  for (let index = 0; index < data.length; index += 2) {
    const radius = std * Math.sqrt(-2 * Math.log(1 - random.next()));
    const angle = 2 * Math.PI * random.next();
    data[index] = radius * Math.cos(angle);
    if (index + 1 < data.length) data[index + 1] = radius * Math.sin(angle);
  }
}

function draw(shape: readonly number[], distribution: Distribution, random: Random): Tensor {
  const tensor = float32Tensor(shape);
  const { data } = tensor;
  switch (distribution.kind) {
    case 'constant':
      data.fill(distribution.value);
      break;
    case 'uniform':
      for (let index = 0; index < data.length; index++) data[index] = distribution.bound * (2 * random.next() - 1);
      break;
    case 'normal':
      fillNormal(data, distribution.std, random);
      break;
  }
  return tensor;
}

/**
 * Random weights as torch draws them for a new network, and for a new head on an old one. A tensor's values depend on
 * the seed and its name alone, so that other tensors may come and go. `num_batches_tracked` becomes an int64 zero.
 * The distributions are torch's, the numbers are not: the generators differ.
 */
export function initialise(shapes: StateShapes, family: InitialisationFamily, seed: number): StateDict {
  const state = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    if (name.endsWith('.num_batches_tracked')) {
      state.set(name, { dtype: 'int64', shape, data: new BigInt64Array(elementCount(shape)) });
    } else {
      state.set(name, draw(shape, distributionOf(family, name, shapes), createRandom(seed, 'initialise', name)));
    }
  }
  return state;
}
