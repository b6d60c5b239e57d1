import type { BenchCase } from '../benchCase.ts';

export const benchCase: BenchCase = {
  how: 'What the tree of checkpoints does with a folder of 1,000 runs with 10 checkpoints each, of which 200 are the trials of a sweep, as the extension does it: reading all records and the sweep, watching all folders, and reading the header of each checkpoint, as where every run is opened. Peak memory is that of the whole process, the writing of the runs included.',
  rounds: 3,
  figures: [
    { key: 'list', title: 'Tree: 1,000 runs listed', unit: 'ms', better: 'less', goal: 2000 },
    { key: 'watch', title: 'Tree: 1,000 runs watched', unit: 'ms', better: 'less', goal: 500 },
    { key: 'open', title: 'Tree: 10,000 checkpoints read', unit: 's', better: 'less', goal: 5 },
    { key: 'memory', title: 'Tree: peak memory, 1,000 runs', unit: 'MiB', better: 'less', goal: 500 },
  ],
  ours: { script: 'ours/manyRuns.ts', args: [1000, 10, 200] },
  peers: {},
};
