import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import { networkName } from '../../protocol/networkName.ts';
import type { OfferedSource } from '../../protocol/predictionPanel.ts';
import { runFiles } from '../../protocol/runRecord.ts';
import { classifierSourceSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import type { StoredRun } from '../../runs/list.ts';
import { percent } from '../views/formatRun.ts';
import { stateWord } from '../views/stateWord.ts';
import { checkpointTitle } from './checkpointTitle.ts';

/** Runs whose checkpoints are offered, the newest. */
const offeredRuns = 30;

/** A source as the page's list shows it. Its id is the source itself, as JSON. */
export function offerOf(source: ClassifierSource, runs: readonly StoredRun[]): OfferedSource {
  const { title, description } = shown(source);
  return { id: JSON.stringify(source), label: title, description: description(runs) };
}

/** The source that an id stands for; undefined where it is none of ours. */
export function sourceOfId(id: string): ClassifierSource | undefined {
  try {
    return classifierSourceSchema.safeParse(JSON.parse(id)).data;
  } catch {
    return undefined;
  }
}

/** The best checkpoint of each run that has one, the newest run's first. */
export function bestCheckpoints(runs: readonly StoredRun[]): ClassifierSource[] {
  const paths = runs.slice(0, offeredRuns).flatMap(({ folder }) => savedCheckpoint(folder) ?? []);
  return paths.map((path) => ({ kind: 'checkpoint', path }));
}

/**
 * The checkpoint to begin with where nobody chose one: the best of the newest run that has finished, as one that was stopped
 * may have learned next to nothing; of the newest with a checkpoint if none has.
 */
export function likelyCheckpoint(runs: readonly StoredRun[]): ClassifierSource | undefined {
  const [finished] = bestCheckpoints(runs.filter(({ state }) => state === 'finished'));
  return finished ?? bestCheckpoints(runs)[0];
}

/**
 * The features to judge `data` by where nobody chose any: of its finished runs whose network was not trained on it, as that
 * would flatter, the most accurate one's; those of the likely checkpoint without such a run.
 */
export function likelyFeatures(data: string, runs: readonly StoredRun[]): ClassifierSource | undefined {
  const accuracy = ({ record }: StoredRun) => record.best?.validAccuracy ?? 0;
  const usable = runs.filter(({ state, record: { config } }) => {
    return state === 'finished' && config.method === 'head' && config.data === data;
  });
  return bestCheckpoints(usable.sort((a, b) => accuracy(b) - accuracy(a)))[0] ?? likelyCheckpoint(runs);
}

/** Whether the file that a source is made of is there. */
export function sourceExists(source: ClassifierSource): boolean {
  const { path } = shown(source);
  return path === undefined || existsSync(path);
}

interface ShownSource {
  /** What people call it. */
  readonly title: string;
  /** The file that it is made of, if it is one. */
  readonly path?: string;
  readonly description: (runs: readonly StoredRun[]) => string;
}

function shown(source: ClassifierSource): ShownSource {
  switch (source.kind) {
    case 'checkpoint': {
      const { path } = source;
      return { title: checkpointTitle(path), path, description: (runs) => describeCheckpoint(path, runs) };
    }
    case 'architecture':
      return { title: source.name, description: () => l10n.t('pretrained, ImageNet’s 1000 classes') };
    case 'backbone': {
      const { path } = source;
      return { title: basename(path), path, description: () => l10n.t('ONNX file, its own classes') };
    }
  }
}

/** The run that a checkpoint is of. */
function runOf(path: string, runs: readonly StoredRun[]): StoredRun | undefined {
  return runs.find(({ folder }) => path.startsWith(join(folder, runFiles.checkpoints)));
}

/** Whether a source's features were trained on a data folder: by a run that trained more than the head. */
export function isTrainedOn(source: ClassifierSource, data: string, runs: readonly StoredRun[]): boolean {
  if (source.kind !== 'checkpoint') return false;
  const config = runOf(source.path, runs)?.record.config;
  return config !== undefined && config.method !== 'head' && config.data === data;
}

function describeCheckpoint(path: string, runs: readonly StoredRun[]): string {
  const run = runOf(path, runs);
  if (!run) return path;
  const { best, config } = run.record;
  const state = run.state === 'finished' ? [] : [stateWord(run.state)];
  const accuracy = best && basename(path) === runFiles.best ? [percent(best.validAccuracy)] : [];
  return [networkName(config.network), config.method, ...accuracy, ...state].join(' · ');
}
