import type { BenchCase } from '../benchCase.ts';

export const benchCase: BenchCase = {
  how: 'The median of three scans of 1,000,000 small JPEGs in 1,000 class folders, which a seed splits; the folder was written just before, so its directories lie in memory. Most of the peak is the list of paths.',
  rounds: 1,
  figures: [
    { key: 'seconds', title: 'scan of 1,000,000 files in 1,000 classes', unit: 's', better: 'less', goal: 10 },
    { key: 'memory', title: 'the same, peak memory', unit: 'MiB', better: 'less', goal: 1024 },
  ],
  ours: { script: 'ours/scan.ts', args: [1000, 1000] },
  peers: {},
};
