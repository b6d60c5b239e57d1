import type { JobRecord } from '../../protocol/jobRecord.ts';
import type { RunControlAction } from '../../protocol/runControl.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import type { StoredRun } from '../../runs/list.ts';

/** A run that is to be trained elsewhere. */
export interface WantedRun {
  readonly config: GivenConfig;
  /** Without it that of its network and method. */
  readonly name?: string;
  /** Folder of the run to go on in; a new one without it. */
  readonly resume?: string;
}

export interface Submission {
  readonly runs: readonly WantedRun[];
  /** Absolute; new runs get their folders in it. */
  readonly out: string;
  /** How this Fivecrop is started: a program and its first arguments, absolute. */
  readonly command: readonly string[];
  /** The folder of the sweep whose trials the runs are: absolute. */
  readonly sweep?: string;
  /** What stands behind the colon of `--to`. */
  readonly place: string | undefined;
  /** Flags as the command line has them; a target looks at its own. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly say: (line: string) => void;
  /** Progress of what is fetched first. */
  readonly onProgress: (progress: {
    readonly what: string;
    readonly done: number;
    readonly total: number | undefined;
  }) => void;
  readonly signal: AbortSignal;
}

/** A run that a job trains. */
export type JobRun = StoredRun & { readonly job: JobRecord };

/** Who trains runs elsewhere: the machines of a scheduler, or another host. */
export interface SubmitTarget {
  /** Flags of its own, by the names that options have: another target refuses them. */
  readonly ownOptions: readonly string[];
  /** Whether its jobs note in the sweep how a trial ended, so that it takes sweeps. */
  readonly takesSweeps: boolean;
  /** Hands the runs over and writes each one's `job.json`. Returns the folders, in order. Throws a user error that says why not. */
  readonly submit: (submission: Submission) => Promise<readonly string[]>;
  /** What is known elsewhere of runs which their folders do not explain: those that wait or were lost. By folder; a sentence without its full stop. */
  readonly explain: (runs: readonly JobRun[]) => Promise<ReadonlyMap<string, Explanation>>;
  /** Has jobs that wait never begin, and ends what is left of those that were lost. */
  readonly cancel: (runs: readonly JobRun[]) => Promise<void>;
  /** Asks a run for something where a file in its folder does not reach it. */
  readonly control?: (run: JobRun, action: RunControlAction) => Promise<void>;
  /** Brings the folders of runs up to date where they are trained on another disk. `explain` does so once. */
  readonly copier?: (
    runs: readonly JobRun[],
    listeners: { readonly say: (line: string) => void; readonly signal: AbortSignal },
  ) => Promise<FolderCopier>;
}

/** Folders of runs that are being brought up to date; nobody else may write into them meanwhile. */
export interface FolderCopier {
  readonly folders: readonly string[];
  /** Copies what is new. Returns the folders of runs that have still to end. */
  readonly copy: () => Promise<ReadonlySet<string>>;
  readonly close: () => Promise<void>;
}

export interface Explanation {
  /** Whether the job still waits or runs, so that the run must not be handed over once more. */
  readonly isThere: boolean;
  readonly sentence: string;
}
