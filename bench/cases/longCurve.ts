import type { BenchCase } from '../benchCase.ts';

export const benchCase: BenchCase = {
  how: 'A run of 1,000,000 steps: its file is read and checked as the extension does it, during which the longest time that nothing else gets its turn is taken; then the panel thins the smoothed curve to 1,200 columns of pixels. Memory is the peak of the process that read the file.',
  rounds: 3,
  figures: [
    { key: 'read', title: 'Curve of 1,000,000 steps: read', unit: 's', better: 'less', goal: 20 },
    {
      key: 'block',
      title: 'Curve of 1,000,000 steps: longest block of the host',
      unit: 'ms',
      better: 'less',
      goal: 100,
    },
    { key: 'frame', title: 'Curve of 1,000,000 steps: thinned for drawing', unit: 'ms', better: 'less', goal: 16 },
    { key: 'memory', title: 'Curve of 1,000,000 steps: peak memory', unit: 'MiB', better: 'less', goal: 1000 },
  ],
  ours: { script: 'ours/longCurve.ts', args: [1_000_000] },
  peers: {},
};
