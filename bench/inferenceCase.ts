import type { BenchCase, Side } from './benchCase.ts';
import { forwardOperations } from './operations.ts';

const passes = 10;

/** A pass of a frozen network, beside torch's in both of its memory formats, eager and compiled; its speed and its peak memory. */
export function inferenceCase(architecture: string, batch: number, goal: number): BenchCase {
  const peer = (layout: string, mode: 'eager' | 'compiled'): Side => ({
    script: 'peers/inference.py',
    args: [architecture, batch, passes, layout, mode],
    ...(mode === 'compiled' ? { needs: 'torch 2' } : {}),
  });
  return {
    how: `The median of ${passes} passes after two of warming up, on random pixels that lie in memory; random weights, its own classifier.`,
    rounds: 5,
    figures: [
      {
        key: 'speed',
        title: `${architecture}, frozen, batch ${batch}`,
        unit: 'images/s',
        better: 'more',
        goal,
        operations: forwardOperations(architecture),
      },
      { key: 'memory', title: 'the same, peak memory', unit: 'MiB', better: 'less', goal: 1 },
    ],
    ours: { script: 'ours/inference.ts', args: [architecture, batch, passes] },
    peers: {
      default: peer('default', 'eager'),
      channels_last: peer('channels_last', 'eager'),
      compiled: peer('default', 'compiled'),
      'compiled, channels_last': peer('channels_last', 'compiled'),
    },
  };
}
