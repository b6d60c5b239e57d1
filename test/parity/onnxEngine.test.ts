import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { buildNetwork, networkGraph, networkNames } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import type { Engine } from '../../src/ml/engine/engine.ts';
import { webgpuLimits } from '../../src/ml/lowering/webgpu/webgpuLimits.ts';
import { doubleEngine } from '../unit/engine/doubleEngine.ts';
import { webgpuFormsEngine } from '../unit/engine/webgpuFormsEngine.ts';
import { referenceInput, referenceState } from './referenceFill.ts';
import { readTorchReference, skipWithoutReference } from './torchReference.ts';
import { convolutionalNetworks, torchvisionNetworks, transformerNetworks } from './torchvisionFigures.ts';
import { distance, trainingDeviation, type Deviation } from './trainingDeviation.ts';

const skip = skipWithoutReference;

/** The networks that the reference has; torchvisionNetworks.test.ts and its neighbours compare the others, and some of these. */
const compared = skip ? [] : networkNames.filter((name) => readTorchReference().eval[name]);
/** Logits of networks with more parameters, which are longer or wider rows of the same blocks, are compared where FIVECROP_ALL_NETWORKS is set. */
const mostParameters = 10_000_000;
/** One with each of ResNet's blocks. */
const always = new Set(['resnet18', 'resnet50']);
const comparedBeside = new Set([torchvisionNetworks, convolutionalNetworks, transformerNetworks].flatMap(Object.keys));
const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;
const why = 'FIVECROP_ALL_NETWORKS=1 compares it too';

for (const name of compared) {
  if (comparedBeside.has(name)) continue;
  const isLarge = (readTorchReference().eval[name]?.parameters ?? 0) > mostParameters;
  test(`${name} gives torch's logits`, { skip: !all && isLarge && !always.has(name) && why }, async () => {
    const reference = readTorchReference().eval[name];
    assert.ok(reference);
    const [, ...image] = reference.input;
    const graphFor = (batchSize: number) => {
      const builder = createGraphBuilder();
      const images = input(builder, 'images', [batchSize, ...image]);
      return finishGraph(builder, [buildNetwork(name, builder, images, 'original')]);
    };
    const state = referenceState(stateShapes(networkGraph(name, 'original')));
    const model = await onnxEngine.compileInference(graphFor, state, 'cpu');
    const [logits] = (await model.run(new Map([['images', referenceInput(reference.input)]]))).values();
    await model.dispose();
    assert.ok(distance(reference.logits, logits) < 1e-4);
    const data = logits?.data ?? [];
    const classes = reference.logits_shape[1];
    for (const [index, expected] of reference.logits_first.entries()) {
      const actual = Number(data[Math.floor(index / 8) * classes + (index % 8)]);
      assert.ok(
        Math.abs(actual - expected) < 1e-4 * reference.logits.std,
        `logit ${index}: ${actual}, not ${expected}`,
      );
    }
  });
}

/** What test/fixtures/torch_float32.py wrote: how far torch's own float32 is from the float64 reference. */
interface TorchFloat32 {
  readonly cases: readonly (Deviation & { arch: string; mode: string; batch_norm: string })[];
}

const torchFile = join(import.meta.dirname, '../fixtures/torch_float32.json');
const torchFloat32 = (JSON.parse(readFileSync(torchFile, 'utf8')) as TorchFloat32).cases;

/** What the figures may be off by where only rounding counts. */
const exact = 1e-3;
/**
 * How many times as far off as torch's float32 ours may be. Where a pre-activation lies within rounding of zero, ReLU's
 * gradient is all or nothing, and batch norm over few values and Adam's first steps enlarge every difference: no two
 * orders of summation agree in float32 on the deep networks, so only the size of the deviation can be compared. Before
 * the first update only rounding counts, so the first loss must be exact. On processors with AVX-512, which sum in blocks of
 * 16 channels, no loss was more than 3 times as far off; DenseNet-169's third in blocks of 8, with AVX2, is 4.3 times.
 */
const allowance = 5;

function assertWithin(actual: Deviation, limits: Deviation): void {
  const within = (what: string, value: number, limit: number) =>
    assert.ok(value <= limit, `${what} is off by ${value}, and not by at most ${limit}`);
  within("the first step's gradients", actual.gradients, limits.gradients);
  actual.losses.forEach((loss, step) => within(`the loss of step ${step}`, loss, limits.losses[step] ?? 0));
  within('the state after the steps', actual.after, limits.after);
  within('the evaluation after the steps', actual.evaluation, limits.evaluation);
}

for (const reference of skip ? [] : readTorchReference().train) {
  const { arch, mode, batch_norm: batchNorm } = reference;
  const title = `training ${arch} (${mode}, ${batchNorm})`;
  // More of the layers of DenseNet-121, whose steps are taken in every form.
  const isLonger = arch === 'densenet169' && mode === 'full';
  const inOtherForms = { skip: !all && isLonger && why };

  test(`${title} in float64 gives torch's losses, gradients and state`, inOtherForms, async () => {
    const losses = reference.losses.map(() => exact);
    const limits = { gradients: exact, losses, after: exact, evaluation: exact };
    assertWithin(await trainingDeviation(reference, doubleEngine), limits);
  });

  const inFloat32 = async (engine: Engine) => {
    const torch = torchFloat32.find((own) => own.arch === arch && own.mode === mode && own.batch_norm === batchNorm);
    assert.ok(torch, `test/fixtures/torch_float32.json has no such case`);
    const limit = (deviation: number) => Math.max(exact, allowance * deviation);
    const laterLosses = limit(Math.max(...torch.losses));
    assertWithin(await trainingDeviation(reference, engine), {
      gradients: limit(torch.gradients),
      losses: torch.losses.map((_, step) => (step === 0 ? exact : laterLosses)),
      after: limit(torch.after),
      evaluation: limit(torch.evaluation),
    });
  };

  test(`${title} in float32 is as near to them as torch's own float32`, () => inFloat32(onnxEngine));

  test(`${title} in the forms that are written for WebGPU is as near to them`, inOtherForms, () =>
    inFloat32(webgpuFormsEngine(webgpuLimits)),
  );
}
