import type { TrainingEvent, TrainingEventOf } from './trainingEvents.ts';

/** A line of a run's log. */
export type RunLogLine = { time: string; level: 'info' | 'warning' | 'error'; message: string };

/** What the log says of an event, the same in the training page and in *Show Log of Run*; undefined for what it leaves out. */
export function runLogLine(event: TrainingEvent): RunLogLine | undefined {
  const line = (message: string, level: RunLogLine['level'] = 'info') => ({ time: event.time, level, message });
  switch (event.event) {
    case 'log':
      return line(event.message, event.level);
    case 'start':
      return line(startMessage(event));
    case 'state':
      // `done` says how a run ended.
      return ['finished', 'stopped', 'failed'].includes(event.state) ? undefined : line(`The run is ${event.state}.`);
    case 'validation':
      return line(
        `Step ${event.step}: training loss ${event.trainLoss.toFixed(4)}, validation loss ${event.validLoss.toFixed(4)}, accuracy ${event.validAccuracy.toFixed(4)}`,
      );
    case 'checkpoint':
      return line(`Saved ${event.path} at step ${event.step}.`);
    case 'done':
      return line(`The run has ${endings[event.state]}: ${event.reason}`, event.state === 'failed' ? 'error' : 'info');
    default:
      return undefined;
  }
}

const endings: Record<TrainingEventOf<'done'>['state'], string> = {
  finished: 'finished',
  stopped: 'been stopped',
  failed: 'failed',
};

/** A text with the paths inside a folder written relative to it. */
export function relativeTo(folder: string, text: string): string {
  return text.replaceAll(`${folder}/`, '').replaceAll(`${folder}\\`, '');
}

function startMessage(event: TrainingEventOf<'start'>): string {
  const { network, device, engine, trainImages, validImages, resumedFrom, step } = event;
  const how = resumedFrom === undefined ? 'Started' : `Resumed from ${resumedFrom} at step ${step}`;
  return `${how}: ${network} on ${device} with ${engine}, ${trainImages} images to train on and ${validImages} for validation.`;
}
