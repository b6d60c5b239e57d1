import type { JobRecord } from '../../protocol/jobRecord.ts';
import type { FailureCause } from '../../protocol/sweep.ts';
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
  /** The folder of the sweep whose trials the runs are, absolute: their jobs note in it how they ended. */
  readonly sweep?: string;
  /** Where a sweep waits for the one run, which is a trial of its: the folder of the sweep, and epochs after which the run stops. */
  readonly trial?: { readonly sweep: string; readonly untilEpoch?: number };
  /** What jobs have in their environment besides what this process has, where `hasEnvironment`. */
  readonly environment?: Readonly<Record<string, string>>;
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

/** A run that is trained elsewhere while somebody waits for it. */
export interface AwaitedRun {
  /** Absolute; the folder of a new run is made there, and is called as the run is. */
  readonly folder: string;
  readonly config: GivenConfig;
  /** Whether the folder is that of a run that goes on. */
  readonly resumes: boolean;
  /** Ends the run once so many epochs are done; at its end without it. */
  readonly untilEpoch?: number;
}

/** Why a run was not trained. */
export interface RunFailure {
  readonly reason: string;
  /** Without it, what the folder of the run says. */
  readonly cause?: FailureCause;
}

/** Trains runs elsewhere for a process that waits for each and decides by how they did. */
export interface RunTrainer {
  /** Runs that train at the same time if nobody says. */
  readonly places: number;
  /**
   * Trains a run; one that an earlier process handed over is taken up and not handed over again. Resolves with why not where
   * it failed; rejects with a `CancelledError` at an abort, and with a user error where nothing can be trained there.
   */
  readonly train: (run: AwaitedRun, signal: AbortSignal) => Promise<RunFailure | undefined>;
  /** Removes there what the runs shared, once they are all done. */
  readonly finish: () => Promise<void>;
  /** Ends the connections with where they train. */
  readonly close: () => Promise<void>;
}

export interface TrainerOptions {
  readonly say: (line: string) => void;
  /** Ends the opening. */
  readonly signal: AbortSignal;
  /** The folder of the sweep whose trials the runs are, which share features; without it they share none. */
  readonly shared?: string;
  /** As in `Submission`. */
  readonly options: Submission['options'];
  readonly command: Submission['command'];
}

/** What lies elsewhere of what was brought there. */
export interface StoredThere {
  readonly path: string;
  readonly bytes: number;
  /** Why it stays, as the rest of a sentence; nothing needs what has none. */
  readonly needed?: string | undefined;
}

/** A run that a job trains. */
export type JobRun = StoredRun & { readonly job: JobRecord };

/** Who trains runs elsewhere: the machines of a scheduler, or another host. */
export interface SubmitTarget {
  /** Flags of its own, by the names that options have: another target refuses them. */
  readonly ownOptions: readonly string[];
  /** Whether its jobs note in the sweep how a trial ended, so that it takes all trials at once. */
  readonly takesSweeps: boolean;
  /** Opens what trains the trials of a sweep whose process waits for each. Throws a user error where nothing can be trained. */
  readonly openTrainer?: (place: string | undefined, options: TrainerOptions) => Promise<RunTrainer>;
  /** Says what was brought to a place, and with `remove` removes what nothing needs; `uncopied` counts runs as such that ended and were not copied. */
  readonly clean?: (
    place: string | undefined,
    options: { readonly remove: boolean; readonly uncopied: boolean; readonly say: (line: string) => void },
  ) => Promise<readonly StoredThere[]>;
  /** Whether its jobs have the environment of the process that hands them over. */
  readonly hasEnvironment: boolean;
  /** Throws a usage error where so many runs cannot be handed over with these options. */
  readonly check: (submission: Pick<Submission, 'place' | 'options'>, runs: number) => void;
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
