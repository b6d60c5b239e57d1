import type { DataReport } from '../../../protocol/dataReport.ts';
import { messageOf } from '../../../protocol/errors.ts';
import type { RunRecord } from '../../../protocol/runRecord.ts';
import type { TrainingEvent } from '../../../protocol/trainingEvents.ts';
import type { RunFolder } from '../../../runs/runFolder.ts';
import type { TimelessEvent } from '../loop/trainingLoop.ts';
import { pathIn } from '../../data/pathIn.ts';

/** A run's folder together with whoever listens: what every part of a run reports to. */
export interface RunSession {
  readonly folder: RunFolder;
  /** Appends to `metrics.jsonl`, then tells the listeners. Throws a user error where the disk refuses. */
  readonly emit: (event: TimelessEvent) => void;
  /** Has a further listener told of the events from now on. */
  readonly listen: (listener: (event: TrainingEvent) => void) => void;
  readonly log: (message: string, level?: 'info' | 'warning' | 'error') => void;
  /** Rewrites the record. */
  readonly record: (changes: Partial<RunRecord>) => Promise<void>;
  /** What is known of the data; files that turn out not to decode are added to it. */
  readonly setData: (report: DataReport) => Promise<void>;
  readonly leaveOut: (file: string, reason: string) => void;
  /** Registers what has to be let go of at the end, in reverse order. */
  readonly onEnd: (dispose: () => Promise<void>) => void;
  readonly end: () => Promise<void>;
}

/** Classes, groups of identical files, files of a group, and files that do not decode, that a record keeps. */
const [keptClasses, keptGroups, keptCopies, keptUndecodable] = [5000, 100, 20, 1000];

/**
 * The record is written whole at every change and read by every list of runs: a picture that lies in a data set a hundred
 * thousand times would make it megabytes, and so would a folder of broken files, or one of very many classes. `fivecrop
 * check` finds all of them again.
 */
function firstCopies(duplicates: DataReport['duplicates']): DataReport['duplicates'] {
  return duplicates.slice(0, keptGroups).map((group) => ({ ...group, files: group.files.slice(0, keptCopies) }));
}

export function createRunSession(folder: RunFolder, onEvent: ((event: TrainingEvent) => void) | undefined): RunSession {
  const disposers: (() => Promise<void>)[] = [];
  const listeners = onEvent ? [onEvent] : [];
  const leftOut = new Map<string, string>();
  let report: DataReport | undefined;

  const emit = (event: TimelessEvent) => {
    const timed = { ...event, time: new Date().toISOString() };
    folder.append(timed);
    for (const listener of listeners) listener(timed);
  };
  const data = (): Pick<RunRecord, 'data'> => {
    if (!report) return {};
    const known = new Set(report.undecodable.map(({ file }) => file));
    const { data: root } = report;
    const found = Array.from(leftOut, ([file, reason]) => ({
      file: pathIn(root, file),
      reason,
    }));
    const undecodable = [...report.undecodable, ...found.filter(({ file }) => !known.has(file))];
    const classes = { classes: report.classes.slice(0, keptClasses), classCount: report.classes.length };
    return { data: { ...report, ...classes, undecodable: undecodable.slice(0, keptUndecodable) } };
  };
  const record = (changes: Partial<RunRecord>) => folder.update({ ...data(), ...changes });
  const log: RunSession['log'] = (message, level = 'info') => emit({ event: 'log', level, message });

  return {
    folder,
    emit,
    listen: (listener) => listeners.push(listener),
    log,
    record,
    setData: (known) => {
      report = { ...known, duplicates: firstCopies(known.duplicates) };
      return record({});
    },
    leaveOut: (file, reason) => {
      leftOut.set(file, reason);
      log(`${file} is left out: ${reason}`, 'warning');
    },
    onEnd: (dispose) => disposers.push(dispose),
    end: async () => {
      for (const dispose of disposers.reverse()) {
        await dispose().catch((error: unknown) => {
          console.error(`While the run was ending: ${messageOf(error)}`);
        });
      }
    },
  };
}
