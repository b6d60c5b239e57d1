import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';
import { readEvents } from '../../../src/runs/events.ts';

/** The events of a run's folder at once, for short runs. */
export async function allEvents(folder: string): Promise<TrainingEvent[]> {
  const events: TrainingEvent[] = [];
  for await (const part of readEvents(folder)) events.push(...part.events);
  return events;
}
