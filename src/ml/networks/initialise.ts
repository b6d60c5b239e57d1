import { createRandom, type Random } from '../graph/random.ts';
import { elementCount, float32Tensor, type StateDict, type Tensor } from '../graph/tensor.ts';
import { moduleOf, type StateShapes } from './stateShapes.ts';

/** How a tensor's values are drawn. */
export type Distribution =
  | { readonly kind: 'constant'; readonly value: number }
  /** Uniform in [-bound, bound). */
  | { readonly kind: 'uniform'; readonly bound: number }
  | { readonly kind: 'normal'; readonly std: number };

/**
 * How a family's constructor in torchvision fills a tensor, told by its name and by the shapes of all tensors; undefined
 * where it leaves torch's default.
 */
export type Initialisation = (name: string, shapes: StateShapes) => Distribution | undefined;

export const zeros: Distribution = { kind: 'constant', value: 0 };
const ones: Distribution = { kind: 'constant', value: 1 };

/** Inputs that one output of a convolution `[O, I/groups, kH, kW]` or a Linear `[out, in]` sums over. */
export function fanIn(shape: readonly number[]): number {
  return elementCount(shape.slice(1));
}

/** As torch counts it: output channels times the kernel's size. */
export function fanOut(shape: readonly number[]): number {
  return (shape[0] ?? 1) * elementCount(shape.slice(2));
}

/** Shape of the weight beside a tensor, itself included. Throws where there is none, which is a bug of the caller. */
export function weightShapeOf(name: string, shapes: StateShapes): readonly number[] {
  const shape = shapes.get(`${moduleOf(name)}.weight`);
  if (!shape) throw new Error(`there is no weight beside ${name}`);
  return shape;
}

/** Whether a tensor is the weight of a convolution. */
export function isConvolutionWeight(name: string, shapes: StateShapes): boolean {
  return name.endsWith('.weight') && shapes.get(name)?.length === 4;
}

/** Weights of convolutions by kaiming_normal_ over fan_out (He et al. 2015, https://arxiv.org/abs/1502.01852). */
export const kaimingConvolutions: Initialisation = (name, shapes) =>
  isConvolutionWeight(name, shapes)
    ? { kind: 'normal', std: Math.sqrt(2 / fanOut(weightShapeOf(name, shapes))) }
    : undefined;

/**
 * As TensorFlow draws networks: weights of convolutions by the outputs that an input goes to, the Linear `classifier` within
 * 1 / sqrt(classes), biases 0 (timm's `_init_weight_goog`).
 */
export function asTensorflow(classifier: string): Initialisation {
  return (name, shapes) => {
    const weight = shapes.get(name.replace(/bias$/u, 'weight')) ?? [];
    if (name === `${classifier}.weight`) return { kind: 'uniform', bound: 1 / Math.sqrt(weight[0] ?? 1) };
    if (name.endsWith('.bias') && (name === `${classifier}.bias` || weight.length === 4)) return zeros;
    if (weight.length !== 4) return undefined;
    // Each input of a depthwise convolution goes to one output.
    const outputs = weight[1] === 1 ? fanOut(weight) / (weight[0] ?? 1) : fanOut(weight);
    return { kind: 'normal', std: Math.sqrt(2 / outputs) };
  };
}

/** Weights of convolutions and Linears, and tables of biases, normal with a deviation of 0.02; biases 0; undefined for norms. */
export const narrowNormal: Initialisation = (name, shapes) => {
  const weight = shapes.get(name.replace(/bias$/u, 'weight')) ?? [];
  if (weight.length < 2) return undefined;
  return name.endsWith('.bias') ? zeros : { kind: 'normal', std: 0.02 };
};

/**
 * torch's defaults. Weights and biases of Conv2d and Linear: kaiming_uniform_ with a = sqrt(5), which is uniform within
 * 1 / sqrt(fan_in). Norms: weight 1, bias 0, mean 0, variance 1.
 */
function torchDefault(name: string, shapes: StateShapes): Distribution {
  if (name.endsWith('.running_var')) return ones;
  if (name.endsWith('.running_mean')) return zeros;
  const weightShape = weightShapeOf(name, shapes);
  if (weightShape.length > 1) return { kind: 'uniform', bound: 1 / Math.sqrt(fanIn(weightShape)) };
  return name.endsWith('.weight') ? ones : zeros;
}

/** torch's defaults for every tensor. */
export const torchDefaults: Initialisation = () => undefined;

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
 * The distributions are torch's, the numbers are not: the generators differ. Those that `has` knows are left out.
 */
export function initialise(
  shapes: StateShapes,
  initialisation: Initialisation,
  seed: number,
  has: (name: string) => boolean = () => false,
): StateDict {
  const state = new Map<string, Tensor>();
  for (const [name, shape] of shapes) {
    if (has(name)) continue;
    if (name.endsWith('.num_batches_tracked')) {
      state.set(name, { dtype: 'int64', shape, data: new BigInt64Array(elementCount(shape)) });
    } else {
      const distribution = initialisation(name, shapes) ?? torchDefault(name, shapes);
      state.set(name, draw(shape, distribution, createRandom(seed, 'initialise', name)));
    }
  }
  return state;
}
