import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { PublishedWeights, WeightsOutlook } from '../../protocol/serviceProtocol.ts';
import { cancelled } from '../../protocol/errors.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { trainsWithoutWeights } from '../../protocol/weightsAdvice.ts';
import type { Parts } from '../parts.ts';
import { withProgress } from '../service/showProgress.ts';
import { answerOf } from '../service/answerOf.ts';
import { visible } from '../../protocol/visibleText.ts';
import { neededWeights, withoutPretrained } from './neededWeights.ts';
import { megabytesText } from './networkTexts.ts';
import { offerWeights } from './offerWeights.ts';

/** Whether published weights are here, can be downloaded, or cannot be had. Downloads nothing. */
export async function lookForWeights(
  service: Parts['service'],
  weights: PublishedWeights,
  signal?: AbortSignal,
): Promise<WeightsOutlook> {
  const request = { type: 'weights' as const, weights, fetch: false };
  return (await answerOf(service, request, 'weights', { ...(signal && { signal }) })).weights;
}

/**
 * Has published weights on this machine, downloading them in a notification that can be cancelled. Answers
 * `here`, or `missing` with the reason. Throws a cancellation.
 */
async function fetchWeights(service: Parts['service'], weights: PublishedWeights): Promise<WeightsOutlook> {
  const name = visible(weights.name);
  const look = {
    location: vscode.ProgressLocation.Window,
    title: l10n.t('Looking for the pretrained weights of {0}', name),
  };
  const found = await vscode.window.withProgress(look, () => lookForWeights(service, weights));
  if (found.state !== 'remote') return found;
  const title = l10n.t('Pretrained weights of {0}, {1} from {2}', name, megabytesText(found.bytes), found.host);
  const request = { type: 'weights' as const, weights, fetch: true };
  return (await withProgress(title, (call) => answerOf(service, request, 'weights', call))).weights;
}

/**
 * The configuration to start a new run with, once the pretrained weights that it needs are on this machine. If they cannot
 * be had, says so in a notification with what can be done about it; *Train Without Pretrained Weights* there gives a
 * configuration without them. Throws a cancellation when the user leaves it at that.
 */
export async function obtainWeights({ service }: Pick<Parts, 'service'>, config: GivenConfig): Promise<GivenConfig> {
  const needed = neededWeights(config);
  if (needed === undefined) return config;
  return (await fetchOrOffer(service, needed, trainsWithoutWeights(config.network)))
    ? config
    : withoutPretrained(config);
}

/** Has the pretrained weights of a network that is to classify on this machine. Throws as `obtainWeights` does. */
export async function obtainWeightsOf(service: Parts['service'], name: string): Promise<void> {
  await fetchOrOffer(service, { kind: 'architecture', name }, false);
}

/** Whether the weights are here; false if the user goes on without them. */
async function fetchOrOffer(
  service: Parts['service'],
  weights: PublishedWeights,
  canGoWithout: boolean,
): Promise<boolean> {
  for (;;) {
    const found = await fetchWeights(service, weights);
    if (found.state !== 'missing') return true;
    const answer = await offerWeights(service, found.reason, canGoWithout);
    if (answer === 'without') return false;
    if (answer === undefined) throw cancelled();
  }
}
