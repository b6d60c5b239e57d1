import { basename, dirname, join } from 'node:path';
import type { ShownTrial, SweepPanelToPage } from '../../protocol/sweepPanel.ts';
import type { StoredRun } from '../../runs/list.ts';
import type { StoredSweep } from '../../runs/storedSweep.ts';

/** What is known of a sweep and the runs of its trials. */
export interface SweepSource {
  readonly sweep: () => StoredSweep | undefined;
  readonly run: (folder: string) => Pick<StoredRun, 'record'> | undefined;
}

/** Keeps a page in step with a sweep. */
export interface SweepSession {
  /** Says what changed, a moment later: much may change at once. */
  readonly refresh: () => void;
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  /** The folders of runs that the page names, if they are of this sweep. */
  readonly foldersOf: (runs: readonly string[]) => string[];
  readonly dispose: () => void;
}

/** Milliseconds over which changes are gathered: seldom enough for a page to draw them. */
const pace = 300;

export function createSweepSession(source: SweepSource, post: (message: SweepPanelToPage) => void): SweepSession {
  /** What the page has, as JSON. */
  let head = '';
  const sent = new Map<number, string>();
  let timer: NodeJS.Timeout | undefined;

  const say = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const sweep = source.sweep();
    if (!sweep) return;
    const message = headOf(sweep, source);
    const next = JSON.stringify(message);
    if (next !== head) post(message);
    head = next;
    const trials: ShownTrial[] = [];
    for (const standing of sweep.standings) {
      const trial = shownTrial(sweep, standing, source);
      const json = JSON.stringify(trial);
      if (sent.get(trial.trial) === json) continue;
      sent.set(trial.trial, json);
      trials.push(trial);
    }
    if (trials.length > 0) post({ type: 'trials', trials });
  };
  return {
    refresh: () => {
      timer ??= setTimeout(say, pace);
    },
    replay: () => {
      head = '';
      sent.clear();
      say();
    },
    foldersOf: (runs) => {
      const sweep = source.sweep();
      if (!sweep) return [];
      return runs
        .filter((run) => sweep.standings.some((standing) => standing.run === run))
        .map((run) => join(dirname(sweep.folder), run))
        .filter((folder) => source.run(folder) !== undefined);
    },
    dispose: () => clearTimeout(timer),
  };
}

function headOf({ folder, state, dimensions, rungs, standings, total }: StoredSweep, { run }: SweepSource) {
  const folders = standings.flatMap((standing) =>
    standing.run === undefined ? [] : join(dirname(folder), standing.run),
  );
  const images = folders.flatMap((each) => run(each)?.record.data?.images.valid ?? [])[0];
  return {
    type: 'sweep' as const,
    name: basename(folder),
    state,
    dimensions: dimensions.map((dimension) =>
      'values' in dimension ? { ...dimension, values: [...dimension.values] } : { ...dimension },
    ),
    rungs: [...rungs],
    total,
    ...(images === undefined ? {} : { images }),
  };
}

function shownTrial(
  { folder }: StoredSweep,
  { run: name, ...standing }: StoredSweep['standings'][number],
  { run }: SweepSource,
): ShownTrial {
  const found = name === undefined ? undefined : run(join(dirname(folder), name));
  const progress = standing.state === 'begun' ? found?.record.progress?.epoch : undefined;
  return {
    ...standing,
    ...(found && name !== undefined ? { run: name } : {}),
    ...(progress === undefined ? {} : { progress }),
  };
}
