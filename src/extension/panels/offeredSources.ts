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
import { checkpointTitle } from './checkpointTitle.ts';

/** Runs whose checkpoints are offered, the newest. */
const offeredRuns = 30;

/** A source as the page's list shows it. Its id is the source itself, as JSON. */
export function offerOf(source: ClassifierSource, runs: readonly StoredRun[]): OfferedSource {
  return { id: JSON.stringify(source), label: titleOfSource(source), description: descriptionOf(source, runs) };
}

/** The source that an id stands for; undefined where it is none of ours. */
export function sourceOfId(id: string): ClassifierSource | undefined {
  try {
    return classifierSourceSchema.safeParse(JSON.parse(id)).data;
  } catch {
    return undefined;
  }
}

/** What people call a source. */
export function titleOfSource(source: ClassifierSource): string {
  if (source.kind === 'checkpoint') return checkpointTitle(source.path);
  return source.kind === 'architecture' ? source.name : basename(source.path);
}

/** The best checkpoint of each run that has one, the newest run's first. */
export function bestCheckpoints(runs: readonly StoredRun[]): ClassifierSource[] {
  const paths = runs.slice(0, offeredRuns).flatMap(({ folder }) => savedCheckpoint(folder) ?? []);
  return paths.map((path) => ({ kind: 'checkpoint', path }));
}

/** Whether the file that a source is made of is there. */
export function sourceExists(source: ClassifierSource): boolean {
  return source.kind === 'architecture' || existsSync(source.path);
}

function descriptionOf(source: ClassifierSource, runs: readonly StoredRun[]): string {
  if (source.kind === 'architecture') return l10n.t('pretrained, ImageNet’s 1000 classes');
  if (source.kind === 'backbone') return l10n.t('ONNX file, its own classes');
  const run = runs.find(({ folder }) => source.path.startsWith(join(folder, runFiles.checkpoints)));
  if (!run) return source.path;
  const { best, config } = run.record;
  const accuracy = best && basename(source.path) === runFiles.best ? [percent(best.validAccuracy)] : [];
  return [networkName(config.network), config.method, ...accuracy].join(' · ');
}
