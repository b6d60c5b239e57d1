import type { BenchCase } from '../benchCase.ts';
import { builtCommandMissing } from '../builtCommand.ts';

export const benchCase: BenchCase = {
  ...builtCommandMissing(),
  how: 'From the start of `fivecrop train` on 100,000 small JPEGs in 100 classes (ConvNet1, batch 32) to the event of its first step, the median of three runs after one; peak memory over the ten seconds that follow, the check of the data beside the training included.',
  rounds: 1,
  figures: [
    { key: 'seconds', title: 'from Train to the first step, 100,000 images', unit: 's', better: 'less', goal: 5 },
    { key: 'memory', title: 'the same, peak memory', unit: 'MiB', better: 'less', goal: 1024 },
  ],
  ours: { script: 'ours/firstStep.ts', args: [100, 1000] },
  peers: {},
};
