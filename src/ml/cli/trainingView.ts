import process from 'node:process';
import { basename, join, relative } from 'node:path';
import { runFiles } from '../../protocol/runRecord.ts';
import { shellWord } from '../../protocol/shellWord.ts';
import type { TrainingEvent, TrainingEventOf } from '../../protocol/trainingEvents.ts';
import { drawCurves } from './curves.ts';
import { exactDuration } from './exactDuration.ts';
import type { Output } from './output.ts';
import { preparationLines, type PreparationProgress } from './preparationLines.ts';
import { createProgress } from './progress.ts';

/** What a person sees of a run in the terminal: a bar, a line at each validation, and the curves at the end. */
export interface TrainingView {
  readonly event: (event: TrainingEvent) => void;
  readonly preparation: (progress: PreparationProgress) => void;
  readonly line: (text: string) => void;
  /** Takes the bar away. */
  readonly end: () => void;
  readonly summarise: (folder: string, done: TrainingEventOf<'done'>) => void;
}

export function createTrainingView(output: Output): TrainingView {
  const progress = createProgress(!output.json);
  const validations: TrainingEventOf<'validation'>[] = [];
  let start: TrainingEventOf<'start'> | undefined;
  const lines = preparationLines(progress.line);
  const seen = (event: TrainingEvent) => {
    if (event.event === 'start') start = event;
    if (event.event === 'validation') validations.push(event);
    if (event.event === 'step' && start) progress.update(event.step, start.totalSteps, stepNote(event));
    const line = lineOf(event);
    if (line !== undefined) progress.line(line);
  };
  return {
    event: (event) => {
      output.object(event);
      if (!output.json) seen(event);
      else if (event.event === 'log') output.say(event.message);
    },
    // What is awaited is a file; its place in the cache says nothing.
    preparation: ({ what, done, total }) => lines({ what: basename(what), done, total }),
    line: progress.line,
    end: progress.stop,
    summarise: (folder, done) => {
      if (output.json) {
        if (done.state !== 'finished') for (const line of summaryLines(folder, done)) output.say(line);
        return;
      }
      const curves = drawCurves(validations, process.stderr.columns || 80, process.stderr.isTTY);
      if (curves) output.drawing(`\n${curves}\n`);
      for (const line of summaryLines(folder, done)) output.say(line);
    },
  };
}

function stepNote(event: TrainingEventOf<'step'>): string {
  const { loss, imagesPerSecond, secondsLeft } = event;
  const left = secondsLeft === undefined ? [] : [`${exactDuration(secondsLeft)} left`];
  return ['steps', `loss ${loss.toFixed(3)}`, `${imagesPerSecond.toFixed(1)} images/s`, ...left].join(' | ');
}

/** What is worth a line of its own; the validation's reads as in the report. */
export function lineOf(event: TrainingEvent): string | undefined {
  switch (event.event) {
    case 'start':
      return startLine(event);
    case 'validation':
      return validationLine(event);
    case 'log':
      return event.level === 'info' ? event.message : `${event.level}: ${event.message}`;
    default:
      return undefined;
  }
}

function startLine(event: TrainingEventOf<'start'>): string {
  const images = `${event.trainImages} images of ${event.classes} classes`;
  const place = `${event.engine} on ${event.device}`;
  const from = event.step > 0 ? `, continuing from step ${event.step}` : '';
  return `Run ${event.run}: ${event.network} on ${images} (${event.validImages} for validation), ${place}${from}`;
}

function validationLine(event: TrainingEventOf<'validation'>): string {
  const numbers = [
    `Epoch: ${event.epoch.toFixed(2)}`,
    `Training Loss: ${event.trainLoss.toFixed(3)}`,
    `Validation Loss: ${event.validLoss.toFixed(3)}`,
    `Validation Accuracy: ${event.validAccuracy.toFixed(3)}`,
    `Top 5: ${event.validTop5.toFixed(3)}`,
  ];
  return numbers.join(' - ');
}

function summaryLines(folder: string, done: TrainingEventOf<'done'>): string[] {
  const shown = (path: string) => shellWord(relative(process.cwd(), path) || path, process.platform);
  const last = done.last ?? join(folder, runFiles.checkpoints, runFiles.last);
  const best = done.best ?? last;
  const goOn = done.last === undefined ? [] : [`Continue with: fivecrop train --resume ${shown(done.last)}`];
  if (done.state === 'stopped') return [done.reason, ...goOn];
  if (done.state === 'failed') return [done.reason];
  const accuracy = done.bestAccuracy === undefined ? '' : ` Best validation accuracy: ${done.bestAccuracy.toFixed(3)}.`;
  return [`${done.reason}${accuracy}`, `Use it with: fivecrop predict IMAGE --checkpoint ${shown(best)}`];
}
