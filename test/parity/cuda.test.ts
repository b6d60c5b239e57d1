import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onCpu, watchedSteps } from '../../bench/ours/watchedSteps.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { selfCheck, trustedDifference } from '../../src/ml/engine/selfCheck.ts';

const cuda = (await onnxEngine.devices()).find(({ name }) => name === 'cuda');
const skip = cuda?.available !== true && `needs an NVIDIA card and CUDA’s libraries: ${cuda?.detail ?? ''}`;

test('a training step on an NVIDIA card has the CPU’s gradients and losses', { skip }, async () => {
  const { difference, lossDifference } = await selfCheck(onnxEngine, 'cuda');
  assert.ok(difference < trustedDifference, `the largest difference is ${difference}`);
  assert.ok(lossDifference < trustedDifference, `the losses are off by ${lossDifference}`);
});

for (const network of ['resnet18', 'densenet169']) {
  test(`no operator of a step of ${network} on an NVIDIA card is computed by the CPU`, { skip }, async () => {
    const profiles = await watchedSteps({ network, method: 'scratch', batch: 8, size: 224, device: 'cuda' });
    assert.ok(profiles.some(({ kernels }) => kernels.length > 100));
    assert.deepEqual(onCpu(profiles).map(({ kernel, node, shapes }) => `${kernel} ${node} ${shapes}`), []); // prettier-ignore
  });
}
