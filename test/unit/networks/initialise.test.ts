import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchNorm2d } from '../../../src/ml/operators/norm/batchNorm2d.ts';
import { conv2d } from '../../../src/ml/operators/convolution/conv2d.ts';
import { createGraphBuilder, finishGraph, input } from '../../../src/ml/graph/builder.ts';
import { initialise, torchDefaults } from '../../../src/ml/networks/initialise.ts';
import { withAdapterDraws } from '../../../src/ml/training/run/initialState.ts';
import { listNetworks, namedNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';

const seed = Math.floor(Math.random() * 1e6);

function float32(state: ReturnType<typeof initialise>, name: string): Float32Array {
  const tensor = state.get(name);
  assert.ok(tensor?.dtype === 'float32', `${name} is no float32 tensor`);
  return tensor.data;
}

function statistics(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  const fourth = values.reduce((sum, value) => sum + (value - mean) ** 4, 0) / values.length;
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return { mean, std, kurtosis: fourth / std ** 4, largest };
}

/**
 * Standard deviations for Conv2d(16, 64, 3) by torch's documented formulas, which torch 1.13 met within 0.1 % over a million draws: default sqrt(1 / (3 fan_in)), kaiming_normal_ sqrt(2 / fan), kaiming_uniform_ sqrt(2 / fan).
 * Kurtosis is 3 for a normal, 1.8 for a uniform distribution.
 */
const convolutions: Readonly<Record<string, { std: number; kurtosis: number; bound?: number }>> = {
  ConvNet1: { std: Math.sqrt(1 / (3 * 144)), kurtosis: 1.8, bound: 1 / 12 },
  resnet18: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  densenet121: { std: Math.sqrt(2 / 144), kurtosis: 3 },
  squeezenet1_0: { std: Math.sqrt(2 / 144), kurtosis: 1.8, bound: Math.sqrt(6 / 144) },
  alexnet: { std: Math.sqrt(1 / (3 * 144)), kurtosis: 1.8, bound: 1 / 12 },
  shufflenet_v2_x0_5: { std: Math.sqrt(1 / (3 * 144)), kurtosis: 1.8, bound: 1 / 12 },
  vgg11_bn: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  mobilenet_v3_small: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  'timm/mobilenetv4_conv_small.e2400_r224_in1k': { std: Math.sqrt(2 / 576), kurtosis: 3 },
  'timm/tf_efficientnetv2_b0.in1k': { std: Math.sqrt(2 / 576), kurtosis: 3 },
  mnasnet0_5: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  efficientnet_v2_s: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  regnet_y_400mf: { std: Math.sqrt(2 / 576), kurtosis: 3 },
  googlenet: { std: 0.01, kurtosis: 3 },
  inception_v3: { std: 0.1, kurtosis: 3 },
};
for (const [name, expected] of Object.entries(convolutions)) {
  test(`convolutions of ${name} are distributed as its constructor in torchvision says (seed ${seed})`, () => {
    const state = initialise(new Map([['c.weight', [64, 16, 3, 3]]]), namedNetwork(name).initialise, seed);
    const { mean, std, kurtosis, largest } = statistics(float32(state, 'c.weight'));
    assert.ok(Math.abs(mean) < (5 * expected.std) / Math.sqrt(9216), `mean ${mean}`);
    assert.ok(Math.abs(std / expected.std - 1) < 0.05, `std ${std}`);
    assert.ok(Math.abs(kurtosis - expected.kurtosis) < 0.4, `kurtosis ${kurtosis}`);
    if (expected.bound) assert.ok(largest <= expected.bound && largest > 0.99 * expected.bound, `largest ${largest}`);
  });
}

test(`a head has torch's defaults in every family: weight and bias uniform within 1 / sqrt(fan_in) (seed ${seed})`, () => {
  const shapes = new Map([
    ['classifier.output.weight', [1000, 64]],
    ['classifier.output.bias', [1000]],
  ]);
  for (const network of listNetworks()) {
    const state = initialise(shapes, network.initialise, seed);
    for (const name of shapes.keys()) {
      const { std, largest } = statistics(float32(state, name));
      assert.ok(largest <= 1 / 8 && largest > 0.98 / 8, `${network.name} ${name} largest ${largest}`);
      assert.ok(Math.abs(std * 8 * Math.sqrt(3) - 1) < 0.1, `${network.name} ${name} std ${std}`);
    }
  }
});

test(`the classifiers of ImageNet are drawn as their constructors do (seed ${seed})`, () => {
  const linear = new Map([
    ['classifier.weight', [1000, 64]],
    ['classifier.bias', [1000]],
  ]);
  assert.ok(
    float32(initialise(linear, namedNetwork('densenet121').initialise, seed), 'classifier.bias').every(
      (value) => value === 0,
    ),
  );
  // Deviations as the constructors write them; uniform within b has b / sqrt(3).
  const linears: readonly (readonly [network: string, module: string, std: number, isBiasZero: boolean])[] = [
    ['vgg11', 'classifier.0', 0.01, true],
    ['mobilenet_v3_large', 'classifier.0', 0.01, true],
    ['regnet_x_400mf', 'fc', 0.01, true],
    ['mnasnet1_0', 'classifier.1', Math.sqrt(1 / 1000), true],
    ['efficientnet_b7', 'classifier.1', Math.sqrt(1 / 3000), true],
    ['timm/mobilenetv4_conv_small.e2400_r224_in1k', 'classifier', Math.sqrt(1 / 3000), true],
    ['timm/tf_efficientnetv2_b0.in1k', 'classifier', Math.sqrt(1 / 3000), true],
    ['googlenet', 'fc', 0.01, false],
    ['inception_v3', 'fc', 0.1, false],
    ['alexnet', 'classifier.1', Math.sqrt(1 / (3 * 64)), false],
  ];
  for (const [network, module, expected, isBiasZero] of linears) {
    const shapes = new Map([
      [`${module}.weight`, [1000, 64]],
      [`${module}.bias`, [1000]],
    ]);
    const drawn = initialise(shapes, namedNetwork(network).initialise, seed);
    const { std: found } = statistics(float32(drawn, `${module}.weight`));
    assert.ok(Math.abs(found / expected - 1) < 0.03, `${network}: std ${found}`);
    assert.equal(
      float32(drawn, `${module}.bias`).every((value) => value === 0),
      isBiasZero,
      network,
    );
  }
  const convolution = new Map([
    ['classifier.1.weight', [1000, 64, 1, 1]],
    ['classifier.1.bias', [1000]],
    ['features.0.weight', [8, 3, 3, 3]],
    ['features.0.bias', [8]],
  ]);
  const state = initialise(convolution, namedNetwork('squeezenet1_0').initialise, seed);
  const { std, kurtosis } = statistics(float32(state, 'classifier.1.weight'));
  assert.ok(Math.abs(std - 0.01) < 0.0003, `std ${std}`);
  assert.ok(Math.abs(kurtosis - 3) < 0.2, `kurtosis ${kurtosis}`);
  for (const name of ['classifier.1.bias', 'features.0.bias']) {
    assert.ok(float32(state, name).every((value) => value === 0));
  }
});

test('batch norm starts at weight 1, bias 0, mean 0, variance 1 and counts from 0; the order is that of state_dict()', () => {
  const builder = createGraphBuilder();
  const x = conv2d(builder, 'conv1', input(builder, 'image', [1, 3, 8, 8]), { channels: 4, kernel: 3, bias: false });
  const y = conv2d(builder, 'last', batchNorm2d(builder, 'bn1', x), { channels: 2, kernel: 1 });
  const state = initialise(stateShapes(finishGraph(builder, [y])), torchDefaults, seed);
  assert.deepEqual(
    [...state.keys()],
    [
      'conv1.weight',
      'bn1.weight',
      'bn1.bias',
      'bn1.running_mean',
      'bn1.running_var',
      'bn1.num_batches_tracked',
      'last.weight',
      'last.bias',
    ],
  );
  const four = (value: number) => new Float32Array(4).fill(value);
  assert.deepEqual(state.get('bn1.weight')?.data, four(1));
  assert.deepEqual(state.get('bn1.bias')?.data, four(0));
  assert.deepEqual(state.get('bn1.running_mean')?.data, four(0));
  assert.deepEqual(state.get('bn1.running_var')?.data, four(1));
  assert.deepEqual(state.get('bn1.num_batches_tracked'), { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) });
});

test(`a seed gives the same values again, whatever other tensors there are, and another seed others (seed ${seed})`, () => {
  const weight: readonly [string, readonly number[]] = ['a.weight', [8, 8]];
  const alone = float32(initialise(new Map([weight]), torchDefaults, seed), 'a.weight');
  const among = float32(initialise(new Map([['b.weight', [3, 3]], weight]), torchDefaults, seed), 'a.weight');
  const other = float32(initialise(new Map([weight]), torchDefaults, seed + 1), 'a.weight');
  assert.deepEqual(alone, among);
  assert.notDeepEqual(alone, other);
});

const transformers = [
  ...['vit_b_16', 'swin_t', 'swin_v2_t', 'maxvit_t', 'convnext_tiny', 'timm/vit_small_patch14_dinov2.lvd142m'],
  ...['timm/vit_small_patch16_dinov3.lvd1689m', 'timm/convnextv2_atto.fcmae_ft_in1k'],
];

test(`LoRA's adapters begin as peft draws them in every family with Linears (seed ${seed})`, () => {
  const shapes = new Map([
    ['blocks.11.attn.proj.lora_A.weight', [64, 384]],
    ['blocks.11.attn.proj.lora_B.weight', [384, 64]],
  ]);
  for (const name of transformers) {
    const state = initialise(shapes, withAdapterDraws(namedNetwork(name).initialise), seed);
    const { largest, std } = statistics(float32(state, 'blocks.11.attn.proj.lora_A.weight'));
    // kaiming_uniform_ with a = sqrt(5) is uniform within 1 / sqrt(fan_in).
    const bound = 1 / Math.sqrt(384);
    assert.ok(largest <= bound && Math.abs(std / (bound / Math.sqrt(3)) - 1) < 0.03, `${name}: ${largest}, ${std}`);
    assert.ok(
      float32(state, 'blocks.11.attn.proj.lora_B.weight').every((value) => value === 0),
      name,
    );
  }
});
