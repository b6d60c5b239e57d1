import type * as vscode from 'vscode';
import type { FeatureSources } from '../../protocol/featurePanel.ts';
import { classifierSourceSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import type { StoredRun } from '../../runs/list.ts';
import type { Parts } from '../parts.ts';
import { chooseSource } from './chooseSource.ts';
import { bestCheckpoints, isTrainedOn, likelyFeatures, offerOf, sourceExists } from './offeredSources.ts';

/** Under which the source is kept whose features were used last. */
const lastSourceKey = 'lastCleaningSource';

/** The features to judge `data` by first: those of the panel, those that were used last, those of a run, or what the user chooses. */
export async function firstFeatures(
  data: string,
  own: ClassifierSource | undefined,
  memory: vscode.Memento,
  parts: Pick<Parts, 'runs' | 'service'>,
): Promise<ClassifierSource | undefined> {
  const { runs } = parts;
  await runs.load();
  const last = classifierSourceSchema.safeParse(memory.get(lastSourceKey)).data;
  const likely = [own, last, likelyFeatures(data, runs.runs)].find((each) => each && sourceExists(each));
  return likely ?? chooseSource(parts);
}

export async function rememberFeatures(source: ClassifierSource, memory: vscode.Memento): Promise<void> {
  await memory.update(lastSourceKey, source);
}

/** The features on offer to judge a data folder by: those that are used, and those of the runs' best checkpoints. */
export function featuresOnOffer(
  data: string,
  source: ClassifierSource | undefined,
  runs: readonly StoredRun[],
): FeatureSources {
  const offered = [...(source ? [source] : []), ...bestCheckpoints(runs)].filter(sourceExists);
  const byId = new Map(offered.map((each) => [JSON.stringify(each), offerOf(each, runs)]));
  return {
    type: 'sources',
    data,
    sources: [...byId.values()],
    source: source ? JSON.stringify(source) : '',
    isTrainedOnData: source !== undefined && isTrainedOn(source, data, runs),
  };
}
