import { relative, sep } from 'node:path';
import * as l10n from '@vscode/l10n';
import type { MapTest } from '../../protocol/featureMapPanel.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import type { ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { sameFolder } from '../../runs/sameFolder.ts';
import type { Log } from '../log.ts';

/**
 * What a checkpoint said of a folder's images in the tests that are kept beside it, the newest of each split and crops; none of
 * another network, and none from before the checkpoint was written.
 */
export async function mapTests(source: ClassifierSource | undefined, data: string, log: Log): Promise<MapTest[]> {
  if (source?.kind !== 'checkpoint') return [];
  const written = await timeWritten(source.path);
  const evaluations = await readEvaluations(source.path, (reason) => log.warn(reason));
  const current = evaluations.filter(({ time, data: tested }) => written !== undefined && time >= written && sameFolder(tested, data)); // prettier-ignore
  const newest = new Map<string, MapTest>();
  for (const evaluation of current) {
    const test = testOf(evaluation);
    if (!newest.has(test.title)) newest.set(test.title, test);
  }
  return [...newest.values()];
}

function testOf(evaluation: Evaluation): MapTest {
  const { data, split, results, perClass } = evaluation;
  const names = new Map(perClass.map(({ index, name }) => [index, name]));
  return {
    title: l10n.t('Test on {0}, {1}', split, cropsText(evaluation)),
    images: results.map(({ image, actual, predicted, probability }) => ({
      image: relative(data, image).split(sep).join('/'),
      predicted: names.get(predicted) ?? String(predicted),
      probability: Math.min(1, probability),
      isRight: actual === predicted,
    })),
  };
}

function cropsText({ cropCount, fit }: Evaluation): string {
  if (cropCount === 5) return l10n.t('five crops');
  return seesWholeImage(fit) ? l10n.t('whole image') : l10n.t('center crop');
}
