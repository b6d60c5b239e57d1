import { test } from 'node:test';
import { compareDoubleStep, compareFloatStep, compareLogits, compareParameters } from './networkParity.ts';
import { torchvisionNetworks } from './torchvisionFigures.ts';

for (const [name, reference] of Object.entries(torchvisionNetworks)) {
  test(`${name} has torchvision's parameters and state dict, in its order`, () => {
    compareParameters(name, reference.eval);
  });

  test(`${name} gives torchvision's logits`, async () => {
    await compareLogits(name, reference.eval);
  });

  test(`the first step of ${name} in float64 has torchvision's loss, gradients and running statistics`, () =>
    compareDoubleStep(name, reference.train));

  test(`the first step of ${name} in float32 is as near to them as torch's own float32`, () =>
    compareFloatStep(name, reference.train));
}
