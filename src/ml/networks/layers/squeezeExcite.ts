import { imageShape } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { relu } from '../../operators/activation/relu.ts';
import { conv2d } from '../../operators/convolution/conv2d.ts';
import { mul } from '../../operators/elementwise/arithmetic.ts';
import { sigmoid } from '../../operators/elementwise/unary.ts';
import { reshape } from '../../operators/movement/reshape.ts';
import { globalAveragePool } from '../../operators/pooling/globalAveragePool.ts';

type Activation = (builder: GraphBuilder, x: string) => string;

/** Options of a squeeze-and-excite layer, with torchvision's defaults. */
export interface SqueezeExciteOptions {
  /** Channels between the two convolutions. */
  readonly squeezed: number;
  /** Behind the first convolution: ReLU by default, SiLU in EfficientNet. */
  readonly activation?: Activation;
  /** Behind the second: sigmoid by default, the hard one in MobileNetV3. */
  readonly gate?: Activation;
  /** Names of the two convolutions: `fc1` and `fc2` by default. */
  readonly names?: readonly [reduce: string, expand: string];
}

/**
 * torchvision's SqueezeExcitation (Hu et al. 2017) under the module name `name`, with the 1x1 convolutions `fc1` and
 * `fc2`: every channel of an image `[N, C, H, W]` times a factor that the means of all channels decide.
 */
export function squeezeExcite(builder: GraphBuilder, name: string, x: string, options: SqueezeExciteOptions): string {
  const { squeezed, activation = relu, gate = sigmoid, names: [reduce, expand] = ['fc1', 'fc2'] } = options;
  const [n, channels] = imageShape(builder, x);
  const means = reshape(builder, globalAveragePool(builder, x), [n, channels, 1, 1], 'image');
  const hidden = activation(builder, conv2d(builder, `${name}.${reduce}`, means, { channels: squeezed, kernel: 1 }));
  const factors = gate(builder, conv2d(builder, `${name}.${expand}`, hidden, { channels, kernel: 1 }));
  return mul(builder, x, factors);
}
