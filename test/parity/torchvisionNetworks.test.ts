import process from 'node:process';
import { test } from 'node:test';
import {
  compareDoubleStep,
  compareFloatStep,
  compareLogits,
  compareParameters,
  float32Tells,
} from './networkParity.ts';
import { torchvisionNetworks } from './torchvisionFigures.ts';

const all = process.env['FIVECROP_ALL_NETWORKS'] !== undefined;

for (const [name, reference] of Object.entries(torchvisionNetworks)) {
  test(`${name} has torchvision's parameters and state dict, in its order`, () => {
    compareParameters(name, reference.eval);
  });

  test(`${name} gives torchvision's logits`, async () => {
    await compareLogits(name, reference.eval);
  });

  const tells = float32Tells(reference.train);
  test(
    `the first step of ${name} in float64 has torchvision's loss, gradients and running statistics`,
    { skip: tells && !all && 'FIVECROP_ALL_NETWORKS=1 compares it too' },
    () => compareDoubleStep(name, reference.train),
  );

  test(`the first step of ${name} in float32 is as near to them as torch's own float32`, () =>
    compareFloatStep(name, reference.train));
}
