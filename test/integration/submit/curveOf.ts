import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { readCurve } from '../../../src/runs/events.ts';

/** The curve of a run, without what is of one moment. */
export async function curveOf(run: string): Promise<object[]> {
  const curve: TrainingEvent[] = [];
  for await (const events of readCurve(run, Infinity)) curve.push(...events);
  const passing = new Set(['time', 'imagesPerSecond', 'secondsLeft', 'memoryBytes']);
  return curve.map((event) => Object.fromEntries(Object.entries(event).filter(([key]) => !passing.has(key))));
}
