import * as l10n from '@vscode/l10n';
import { networkName } from '../../protocol/networkName.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { epochCount } from '../counts.ts';
import { inLabel } from '../plainText.ts';
import { methodTexts } from './trainingChoices.ts';

/** Side of the images that most networks take; others are said. */
const usualSize = 224;
/** The learning rate that nobody chose. */
const usualRate = 0.001;

/** What would be trained, in a line. */
export function settingsInWords(config: GivenConfig): string {
  const { network, method, epochs, batchSize, learningRate, featureViews, imageSize } = config;
  return [
    inLabel(networkName(network)),
    methodTexts[method][0],
    epochCount(epochs),
    ...(batchSize === 'auto' ? [] : [l10n.t('{0} images per step', batchSize)]),
    ...(learningRate === 'auto' || learningRate === usualRate ? [] : [l10n.t('learning rate {0}', learningRate)]),
    ...(featureViews === undefined ? [] : [l10n.t('{0} views of each image', featureViews)]),
    ...(imageSize === undefined || imageSize === usualSize ? [] : [l10n.t('images of {0} pixels', imageSize)]),
  ].join(' · ');
}
