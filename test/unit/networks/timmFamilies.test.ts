import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedNetwork } from '../../../src/ml/networks/registry.ts';
import { stateShapes } from '../../../src/ml/networks/stateShapes.ts';
import { timmConfig } from '../../../src/ml/networks/timm.ts';

const sha256 = '0'.repeat(64);

/** A network that no table lists, as the hub's `config.json` describes it. */
function ofHub(architecture: string, facts: Parameters<typeof timmConfig>[1]) {
  const config = timmConfig(architecture, facts);
  return namedNetwork(`timm/${architecture}.any`, { sha256, bytes: 1, config });
}

function shapesOf(network: ReturnType<typeof ofHub>, size = 224) {
  return stateShapes(network.graph('original', { batchSize: 1, size }));
}

test('a network of timm that no table lists is built from its configuration alone', () => {
  const large = ofHub('vit_large_patch14_reg4_dinov2', {
    features: 1024,
    classes: 0,
    size: 518,
    crop: 1,
    pool: 'token',
  });
  const shapes = shapesOf(large, 28);
  assert.deepEqual(shapes.get('reg_token'), [1, 4, 1024]);
  assert.deepEqual(shapes.get('pos_embed'), [1, 4, 1024]);
  assert.deepEqual(shapes.get('blocks.23.ls2.gamma'), [1024]);
  assert.equal(large.title, 'DINOv2 ViT-L/14 with registers');
  assert.ok(![...shapes.keys()].some((name) => name.startsWith('head.')));

  const classes = shapesOf(ofHub('convnextv2_nano', { features: 640, classes: 12, pool: 'avg' }), 32);
  assert.deepEqual(classes.get('head.fc.weight'), [12, 640]);
  assert.deepEqual(classes.get('stages.2.blocks.7.mlp.fc1.weight'), [1280, 320, 1, 1]);

  const largest = ofHub('tf_efficientnetv2_xl', {
    features: 1280,
    classes: 21843,
    size: 384,
    crop: 1,
    cropMode: 'squash',
  });
  assert.deepEqual(shapesOf(largest, 64).get('blocks.6.7.conv_pwl.weight'), [640, 3840, 1, 1]);
  assert.equal(largest.preprocessing.fit, 'squash');

  const biased = shapesOf(ofHub('vit_base_patch16_dinov3_qkvb', { features: 768, classes: 0, pool: 'avg' }), 32);
  assert.deepEqual(biased.get('blocks.0.attn.q_bias'), [768]);
});

test('arguments of a configuration take the place of the architecture’s own', () => {
  const args = { embed_dim: 32, depth: 2, num_heads: 4, mlp_ratio: 3, init_values: 0.1, dynamic_img_size: true };
  const shapes = shapesOf(ofHub('vit_tiny_patch16_224', { features: 32, classes: 5, pool: 'avg', args }), 48);
  assert.deepEqual(shapes.get('blocks.1.mlp.fc1.weight'), [96, 32]);
  assert.deepEqual(shapes.get('pos_embed'), [1, 10, 32]);
  assert.deepEqual(shapes.get('fc_norm.weight'), [32]);
  assert.deepEqual(shapes.get('blocks.0.ls1.gamma'), [32]);
  assert.ok(!shapes.has('blocks.2.norm1.weight'));
});

test('what a configuration asks for and cannot be built is refused in a clause', () => {
  const built = (architecture: string, facts: Partial<Parameters<typeof timmConfig>[1]>) => () =>
    ofHub(architecture, { features: 192, ...facts });
  const tiny = 'vit_tiny_patch16_224';
  assert.throws(built(tiny, { args: { attn_layer: 'diff' } }), /attn_layer = "diff" is not supported/u);
  assert.throws(built(tiny, { args: { depth: 1e9 } }), /depth = 1000000000 is not supported/u);
  assert.throws(built(tiny, { args: { num_heads: 5 } }), /cannot be divided among 5 heads/u);
  assert.throws(built(tiny, { pool: 'map' }), /pooled by map, and only token and avg/u);
  for (const architecture of ['convnext_tiny', 'mobilenetv4_conv_small', 'tf_efficientnetv2_b0', 'resnet50']) {
    assert.throws(built(architecture, { pool: '' }), /pooled by nothing, and only avg is supported/u);
    assert.throws(built(architecture, { pool: 'max' }), /pooled by max, and only avg is supported/u);
  }
  assert.throws(built(tiny, { args: { class_token: false }, pool: 'token' }), /class token/u);
  assert.throws(built('convnext_tiny', { args: { dims: [1, 2, 3] } }), /dims = \[1,2,3\] is not supported/u);
  assert.throws(built('vit_giant_patch14_dinov2', {}), /of timm only those of .* are supported/u);
});

test('a class token’s features do not need the other tokens’ last layer, and it asks them all the same', () => {
  const network = namedNetwork('timm/vit_small_patch14_dinov2.lvd142m');
  const graph = network.graph('original', { batchSize: 2, size: 56 });
  const last = [...graph.types].filter(([name]) => name.startsWith('softmax_')).at(-1)?.[1];
  assert.deepEqual(last?.shape, [2, 6, 1, 17]);
});
