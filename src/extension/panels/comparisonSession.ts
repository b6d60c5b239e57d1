import * as l10n from '@vscode/l10n';
import { compareEvaluations } from '../../protocol/compareEvaluations.ts';
import { comparisonReport, type ReportFormat } from '../../protocol/comparisonReport.ts';
import { differingSettings } from '../../protocol/differingSettings.ts';
import { distinctNames } from '../../protocol/distinctNames.ts';
import { UserError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { differentImages, differentImagesSentence, type NamedTest } from '../../protocol/sameImages.ts';
import { seenOfImages } from '../../protocol/seenOfImages.ts';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { ComparisonResult, ComparisonWish, TrainingPanelToPage } from '../../protocol/trainingPanel.ts';
import type { WantedTest } from '../../runs/evaluations.ts';
import { createShownWork, type Work } from './shownWork.ts';

/** A run that is to be compared. */
export interface ComparableRun {
  readonly folder: string;
  readonly record: RunRecord;
  /** Its best checkpoint; undefined for one that has saved none. */
  readonly checkpoint: string | undefined;
}

export interface TestRequest extends WantedTest {
  readonly checkpoint: string;
  readonly signal: AbortSignal;
  readonly onAnswer: (answer: ServiceAnswerBody) => void;
}

export interface ComparisonSource {
  /** Those of the folders that there are, in their order. */
  runs(folders: readonly string[]): readonly ComparableRun[];
  /** The test of a checkpoint as it is now that is kept beside it. */
  kept(checkpoint: string, wanted: WantedTest): Promise<Evaluation | undefined>;
  /** Tests a checkpoint and keeps the result beside it; rejects as `Service.request` does. */
  evaluate(request: TestRequest): Promise<void>;
}

/** Comparisons of runs by their tests, one at a time. */
export interface ComparisonSession {
  /** Compares, after the tests that are not kept if `wish.test` asks for these; what ran before is cancelled. */
  compare(wish: ComparisonWish): Promise<void>;
  /** Compares anew what was compared last, since runs have changed; never tests. */
  refresh(): void;
  cancel(): void;
  replay(): void;
  /** The comparison that is shown, as a file's content; undefined if there is none. */
  report(format: ReportFormat): { readonly names: readonly string[]; readonly content: string } | undefined;
  dispose(): void;
}

/** A run with its test; without one it has to be tested first. */
interface Compared extends ComparableRun {
  readonly name: string;
  readonly test: Evaluation | undefined;
}

export function createComparisonSession(
  source: ComparisonSource,
  post: (message: TrainingPanelToPage) => void,
): ComparisonSession {
  const work = createShownWork(post);
  let last: ComparisonWish | undefined;
  let shown: Extract<TrainingPanelToPage, { type: 'comparison' }> | undefined;
  let compared: readonly Compared[] = [];
  let turn = 0;

  const tell = (wish: ComparisonWish, runs: readonly Compared[]): void => {
    compared = runs;
    shown = { type: 'comparison', wish, result: resultOf(wish, runs) };
    post(shown);
  };
  /** Tests of earlier ones that could not be kept on the disk come from `answered`. */
  const look = (wish: ComparisonWish, answered: ReadonlyMap<string, Evaluation> = new Map()): Promise<Compared[]> => {
    const runs = source.runs(wish.folders);
    const names = distinctNames(runs.map(({ record }) => runTitle(record.name)));
    return Promise.all(
      runs.map(async (run, at) => {
        const { checkpoint } = run;
        const kept = checkpoint === undefined ? undefined : await source.kept(checkpoint, wantedOf(run, wish));
        return { ...run, name: names[at] ?? '', test: kept ?? answered.get(checkpoint ?? '') };
      }),
    );
  };
  const testAll = async (wish: ComparisonWish, runs: readonly Compared[], { signal, report }: Work): Promise<void> => {
    const answered = new Map<string, Evaluation>();
    for (const run of runs) {
      const { checkpoint, name, test } = run;
      if (test || checkpoint === undefined) continue;
      const onAnswer = (answer: ServiceAnswerBody): void => {
        if (answer.type === 'progress') report({ ...answer, what: `${answer.what} (${name})` });
        if (answer.type === 'evaluation') answered.set(checkpoint, answer.evaluation);
      };
      await source.evaluate({ ...wantedOf(run, wish), checkpoint, signal, onAnswer });
    }
    tell(wish, await look(wish, answered));
  };
  const compare = async (wish: ComparisonWish): Promise<void> => {
    last = wish;
    const own = ++turn;
    const runs = await look(wish);
    // Another choice was made meanwhile.
    if (own !== turn) return;
    work.cancel();
    const needsTests = runs.some(({ test, checkpoint }) => !test && checkpoint !== undefined);
    if (wish.test && needsTests) await work.start((started) => testAll(wish, runs, started));
    else tell(wish, runs);
  };
  return {
    compare,
    refresh: () => {
      if (last && !work.isRunning) void compare({ ...last, test: false });
    },
    cancel: work.cancel,
    replay: () => {
      if (shown) post(shown);
      work.replay();
    },
    report: (format) => {
      if (shown?.result.kind !== 'compared') return undefined;
      const { comparison } = shown.result;
      const { split } = shown.wish;
      const settings = differingSettings(compared.map(({ record }) => record));
      const seen = seenOfImages(compared.flatMap(({ test }) => test ?? []));
      return { names: comparison.names, content: comparisonReport(format, { comparison, settings, split, seen }) };
    },
    dispose: work.dispose,
  };
}

function wantedOf({ record }: ComparableRun, { split, crops }: ComparisonWish): WantedTest {
  return { data: record.data?.data ?? record.config.data, split, cropCount: crops };
}

function resultOf({ common }: ComparisonWish, runs: readonly Compared[]): ComparisonResult {
  const unsaved = runs.filter(({ checkpoint }) => checkpoint === undefined).map(({ name }) => name);
  if (unsaved.length > 0) {
    return { kind: 'refused', reason: l10n.t('{0} has saved no checkpoint yet, so there is nothing to test.', unsaved.join(', ')) }; // prettier-ignore
  }
  const tests = runs.flatMap(({ name, test }): NamedTest[] => (test ? [{ name, evaluation: test }] : []));
  if (tests.length < runs.length) {
    return { kind: 'untested', names: runs.filter(({ test }) => !test).map(({ name }) => name) };
  }
  const different = differentImages(tests);
  if (different && (!common || different.common === 0)) {
    const remedy = l10n.t('compare runs that share their split');
    return { kind: 'different', reason: `${differentImagesSentence(different, remedy)}.`, common: different.common };
  }
  try {
    return { kind: 'compared', comparison: compareEvaluations(tests) };
  } catch (error) {
    if (error instanceof UserError) return { kind: 'refused', reason: error.message };
    throw error;
  }
}
