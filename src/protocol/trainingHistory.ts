import type { TrainingEvent } from './trainingEvents.ts';

/**
 * The events of a run as one line of steps. A run that was broken off and resumed has steps between its checkpoint and
 * the break twice in `metrics.jsonl`; what a later `start` takes back is left out here.
 */
export function withoutRepeats(events: readonly TrainingEvent[]): TrainingEvent[] {
  const kept: TrainingEvent[] = [];
  for (const event of events) {
    if (event.event === 'start') dropAfter(kept, event.step);
    kept.push(event);
  }
  return kept;
}

/** Takes out, from the end, what happened after `step`. */
function dropAfter(events: TrainingEvent[], step: number): void {
  const stays = (event: TrainingEvent) =>
    event.event === 'start' || event.event === 'log' || event.event === 'state' || event.step <= step;
  events.splice(0, events.length, ...events.filter(stays));
}
