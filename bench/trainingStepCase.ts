import type { BenchCase, Side } from './benchCase.ts';
import { forwardOperations, passesOfStep, peerForwardOperations } from './operations.ts';

const steps = 5;

/** A full training step with Adam, beside torch's in both of its memory formats, eager and compiled; its speed and its peak memory. */
export function trainingStepCase(architecture: string, batch: number, goal: number): BenchCase {
  const peer = (layout: string, mode: 'eager' | 'compiled'): Side => ({
    script: 'peers/trainingStep.py',
    args: [architecture, batch, steps, layout, mode],
    ...(mode === 'compiled' ? { needs: 'torch 2' } : {}),
  });
  return {
    how: `The median of ${steps} steps after two of warming up, on random pixels that lie in memory; 102 classes.`,
    rounds: 5,
    figures: [
      {
        key: 'speed',
        title: `${architecture}, full training step, batch ${batch}`,
        unit: 'images/s',
        better: 'more',
        goal,
        operations: passesOfStep * forwardOperations(architecture),
        peerOperations: passesOfStep * peerForwardOperations(architecture),
      },
      { key: 'memory', title: `the same, peak memory`, unit: 'MiB', better: 'less', goal: 1 },
    ],
    ours: { script: 'ours/trainingStep.ts', args: [architecture, batch, steps] },
    peers: {
      default: peer('default', 'eager'),
      channels_last: peer('channels_last', 'eager'),
      compiled: peer('default', 'compiled'),
      'compiled, channels_last': peer('channels_last', 'compiled'),
    },
  };
}
