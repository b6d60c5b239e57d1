import { existsSync } from 'node:fs';
import { contradictionIn } from '../../protocol/contradictions.ts';
import { findingText } from '../../protocol/dataReport.ts';
import { usageError, UserError, userError } from '../../protocol/errors.ts';
import { comparedInReport, mostParts, type StudyKind } from '../../protocol/study.ts';
import { methods } from '../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';
import type { PlannedPart } from '../../runs/study.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { countsOf, whyUntrainable } from '../data/whyUntrainable.ts';
import { asUsage } from '../networks/asUsage.ts';
import { canonicalName, namedNetwork, networkNames, pretrainedWeights } from '../networks/registry.ts';
import { lookForWeights } from '../weights/locateWeights.ts';
import type { OptionValues } from './configFlags.ts';
import { trainingConfigFrom } from './trainingConfigFrom.ts';

/**
 * The runs of a study: one for each network, method or depth of `--of`, the flags' settings in all of them. Throws a usage
 * error for names that there are not, and for settings that do not go with one of the runs.
 */
export async function planStudy(kind: StudyKind, data: string, options: OptionValues): Promise<PlannedPart[]> {
  const labels = labelsFrom(kind, options);
  const parts: PlannedPart[] = [];
  for (const label of labels) {
    const config = await trainingConfigFrom(data, { ...options, ...flagsOf(kind, label) });
    if (config.network.kind === 'backbone') {
      throw usageError('A study trains networks by their names, and an ONNX file trains a head only: leave it out.');
    }
    const contradiction = contradictionIn(config);
    if (contradiction !== undefined) throw usageError(`${label}: ${contradiction}`);
    parts.push({ label, config });
  }
  return parts;
}

function flagsOf(kind: StudyKind, label: string): OptionValues {
  if (kind === 'methods') return { method: label };
  return kind === 'depths' ? { arch: label, method: 'scratch' } : { arch: label };
}

function labelsFrom(kind: StudyKind, { of }: OptionValues): readonly string[] {
  if (typeof of !== 'string') return comparedInReport[kind];
  const labels = of.split(',').map((item) => labelOf(kind, item.trim()));
  if (new Set(labels).size < labels.length) throw usageError(`--of ${of}: one of them stands there twice.`);
  if (labels.length < 2) throw usageError(`--of ${of}: name two or more, separated by commas.`);
  if (labels.length > mostParts) throw usageError(`--of takes at most ${mostParts}.`);
  return labels;
}

function labelOf(kind: StudyKind, item: string): string {
  if (kind === 'methods') {
    const method = methods.find((name) => name === item);
    if (method === undefined) throw usageError(`--of ${item}: not a method; use ${methods.join(', ')}.`);
    return method;
  }
  const name = canonicalName(item);
  // What the hub has besides is looked up when its run begins.
  if (!name.startsWith('timm/')) asUsage(() => namedNetwork(name));
  return name;
}

/** Throws a user error where nothing can be trained on the data of the runs, which is the same for all. */
export async function requireTrainable([part]: readonly PlannedPart[]): Promise<void> {
  if (part === undefined) return;
  const reason = whyUntrainable(countsOf(await scanDataset(part.config.data, scanOptionsOf(part.config))));
  if (reason !== undefined) throw userError(findingText(reason));
}

/** A run that cannot begin, as its pretrained weights are not to be had; `reason` is a user error of the kind `weights`. */
export interface WithoutWeights {
  readonly label: string;
  readonly reason: UserError;
}

/** Which of the runs lack their pretrained weights: those that are neither here nor where they are downloaded from. */
export async function findWithoutWeights(parts: readonly PlannedPart[]): Promise<WithoutWeights[]> {
  const found: WithoutWeights[] = [];
  const known = new Map<string, Promise<UserError | undefined>>();
  for (const { label, config } of parts) {
    const { network, method } = config;
    if (method === 'scratch' || network.kind !== 'architecture') continue;
    const key = `${network.name} ${network.weights ?? ''}`;
    const looked = known.get(key) ?? whyNot(network.name, network.weights);
    known.set(key, looked);
    const reason = await looked;
    if (reason) found.push({ label, reason });
  }
  return found;
}

async function whyNot(name: string, weights: string | undefined): Promise<UserError | undefined> {
  if (weights !== undefined && !isWeightSet(weights)) {
    return existsSync(weights) ? undefined : new UserError(`There is no file ${weights}.`, 'weights');
  }
  if (!networkNames.includes(name)) return undefined;
  try {
    await lookForWeights(pretrainedWeights(name, weights));
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}
