import { runLogLine, type RunLogLine } from '../protocol/runLog.ts';
import type { TrainingEvent, TrainingEventOf } from '../protocol/trainingEvents.ts';
import { countUpTo, growingColumns, type Columns } from './columns.ts';
import type { Range } from './downsample.ts';

/**
 * `seconds`: how long the run had trained then, all sessions together. `meanLoss` is of `meanSteps` steps up to this one, 1
 * where none was left out. `gradientNorm` is NaN where the run did not say it.
 */
export const stepColumns = [
  'step',
  'epoch',
  'seconds',
  'loss',
  'learningRate',
  'imagesPerSecond',
  'gradientNorm',
  'meanLoss',
  'meanSteps',
] as const;
export const validationColumns = [
  'step',
  'epoch',
  'seconds',
  'trainLoss',
  'validLoss',
  'validAccuracy',
  'validTop5',
] as const;
export type StepColumn = (typeof stepColumns)[number];
export type ValidationColumn = (typeof validationColumns)[number];

export type PinnedPrediction = TrainingEventOf<'pinned'>['predictions'][number];

const keptLogLines = 1000;
/** Warnings of a session that its banner has room for. */
const mostWarnings = 10;

/** Everything of a run that the page shows, built from its events alone. */
export type RunCurves = {
  steps: Columns<StepColumn>;
  validations: Columns<ValidationColumn>;
  /** Every `pinned` event so far. */
  pinned: { step: number; predictions: PinnedPrediction[] }[];
  /** The last lines. */
  log: RunLogLine[];
  /** Lines that were too many to keep. */
  logForgotten: number;
  /** What the present session said before it began: that a resume goes on with other data, or from another checkpoint. */
  sessionWarnings: string[];
  /** Warnings since the last step or end, which may be those of a session that is about to begin. */
  newWarnings: string[];
  start: TrainingEventOf<'start'> | undefined;
  lastStep: TrainingEventOf<'step'> | undefined;
  lastValidation: TrainingEventOf<'validation'> | undefined;
  done: TrainingEventOf<'done'> | undefined;
  /** Seconds of earlier sessions, and when the present one began and last said something. Milliseconds since 1970. */
  sessions: { earlierSeconds: number; began: number; last: number };
  /** Events taken so far. */
  events: number;
};

/** A run of which nothing is known yet. */
export function emptyCurves(): RunCurves {
  return {
    steps: growingColumns(stepColumns),
    validations: growingColumns(validationColumns),
    pinned: [],
    log: [],
    logForgotten: 0,
    sessionWarnings: [],
    newWarnings: [],
    start: undefined,
    lastStep: undefined,
    lastValidation: undefined,
    done: undefined,
    sessions: { earlierSeconds: 0, began: NaN, last: NaN },
    events: 0,
  };
}

/** Adds an event, in place. A `start` that goes on from an earlier step takes back what came after that step. */
export function addEvent(curves: RunCurves, event: TrainingEvent): void {
  curves.events++;
  addTime(curves, event);
  const line = runLogLine(event);
  if (line !== undefined) addLine(curves, line);
  addWarning(curves, event);
  switch (event.event) {
    case 'start':
      takeBack(curves, event.step);
      curves.start = event;
      curves.done = undefined;
      break;
    case 'step':
      curves.steps.append({
        ...event,
        seconds: trainedSeconds(curves),
        gradientNorm: event.gradientNorm ?? NaN,
        meanLoss: event.mean?.loss ?? event.loss,
        meanSteps: event.mean?.steps ?? 1,
      });
      curves.lastStep = event;
      break;
    case 'validation':
      curves.validations.append({ ...event, seconds: trainedSeconds(curves) });
      curves.lastValidation = event;
      break;
    case 'pinned':
      curves.pinned.push({ step: event.step, predictions: event.predictions });
      break;
    case 'done':
      curves.done = event;
      break;
    case 'checkpoint':
    case 'log':
    case 'state':
      // Their lines are in the log.
      break;
  }
}

/** Seconds that the run has trained, all sessions together, the pauses between them left out. */
export function trainedSeconds({ sessions }: RunCurves): number {
  const present = (sessions.last - sessions.began) / 1000;
  return sessions.earlierSeconds + (Number.isFinite(present) ? present : 0);
}

/**
 * Index of the validation with the highest accuracy, of equals the one with the lowest loss, as `best` is chosen;
 * undefined before the first.
 */
export function bestValidation(curves: RunCurves): number | undefined {
  const accuracies = curves.validations.values('validAccuracy');
  const losses = curves.validations.values('validLoss');
  const isBetter = (one: number, other: number): boolean => {
    const [accuracy = NaN, before = NaN] = [accuracies[one], accuracies[other]];
    return accuracy > before || (accuracy === before && (losses[one] ?? NaN) < (losses[other] ?? NaN));
  };
  let best: number | undefined;
  for (let index = 0; index < curves.validations.length; index++) {
    if (best === undefined || isBetter(index, best)) best = index;
  }
  return best;
}

/** Whether steps were left out of a long history. */
export function isThinned({ steps }: RunCurves): boolean {
  return steps.values('meanSteps').some((count) => count > 1);
}

/** Epochs whose ends a chart could show apart. */
const mostEpochEnds = 1000;

/** Steps within `range` at which an epoch ended, up to the last step; none where they are too many to be told apart. */
export function epochEnds(curves: RunCurves, range: Range): number[] {
  const length = curves.start?.stepsPerEpoch ?? 0;
  if (length < 1) return [];
  const first = Math.max(1, Math.ceil(range.min / length));
  const last = Math.floor(Math.min(range.max, curves.steps.values('step').at(-1) ?? 0) / length);
  const count = last - first + 1;
  if (!(count >= 1 && count <= mostEpochEnds)) return [];
  return Array.from({ length: count }, (_, index) => (first + index) * length);
}

function addTime({ sessions }: RunCurves, event: TrainingEvent): void {
  // A resume says some of these before its session begins, when the pause is over and nothing trains yet.
  if (event.event === 'log' || event.event === 'state') return;
  const time = Date.parse(event.time);
  if (event.event === 'start' || Number.isNaN(sessions.began)) {
    const finished = (sessions.last - sessions.began) / 1000;
    if (Number.isFinite(finished)) sessions.earlierSeconds += finished;
    sessions.began = time;
  }
  sessions.last = time;
}

/** A session warns of what differs before its state is `preparing`; of what comes later, the log and the record tell. */
function addWarning(curves: RunCurves, event: TrainingEvent): void {
  if (event.event === 'log' && event.level === 'warning') {
    curves.newWarnings = [...curves.newWarnings, event.message].slice(-mostWarnings);
  } else if (event.event === 'state' && event.state === 'preparing') {
    curves.sessionWarnings = curves.newWarnings;
    curves.newWarnings = [];
  } else if (event.event === 'step' || event.event === 'done') {
    curves.newWarnings = [];
  }
}

function takeBack(curves: RunCurves, step: number): void {
  curves.steps.truncate(countUpTo(curves.steps.values('step'), step));
  curves.validations.truncate(countUpTo(curves.validations.values('step'), step));
  curves.pinned = curves.pinned.filter((pinned) => pinned.step <= step);
  if ((curves.lastStep?.step ?? 0) > step) curves.lastStep = undefined;
  if ((curves.lastValidation?.step ?? 0) > step) curves.lastValidation = undefined;
}

function addLine(curves: RunCurves, line: RunLogLine): void {
  curves.log.push(line);
  if (curves.log.length <= keptLogLines * 2) return;
  curves.logForgotten += curves.log.length - keptLogLines;
  curves.log = curves.log.slice(-keptLogLines);
}
