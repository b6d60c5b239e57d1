import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../../protocol/weightSetName.ts';
import { networkNames } from '../../networks/registry.ts';
import { locateBackbone } from '../../weights/onnxBackbones.ts';
import { pinOfNetwork } from '../../weights/locateWeights.ts';
import type { LocateOptions } from '../../weights/weightsPlaces.ts';
import type { ResumedFrom } from './resumeFrom.ts';

/**
 * A configuration in which the network's name means one thing: for a network of the hub the commit and the file that it
 * stands for, those of `resumed` where there is such; for the short name of an ONNX file the file. Throws as
 * `pinOfNetwork` and `locateBackbone` do.
 */
export async function settleNetwork(
  config: GivenConfig,
  resumed: ResumedFrom | undefined,
  options: LocateOptions,
): Promise<GivenConfig> {
  const { network } = config;
  if (network.kind === 'backbone') return { ...config, network: await locateBackbone(network, options, config) };
  if (network.hub) return config;
  const before = resumed?.checkpoint.metadata.network;
  const hub =
    before?.kind === 'architecture' && before.name === network.name
      ? before.hub
      : await pinIfNeeded(network, config.method, options);
  return hub ? { ...config, network: { ...network, hub } } : config;
}

/** A listed network whose weights come from elsewhere, or from nowhere, needs nothing of the hub. */
async function pinIfNeeded(
  { name, weights }: Extract<GivenConfig['network'], { kind: 'architecture' }>,
  method: GivenConfig['method'],
  options: LocateOptions,
) {
  const fetches = method !== 'scratch' && (weights === undefined || isWeightSet(weights));
  return fetches || !networkNames.includes(name) ? pinOfNetwork(name, options) : undefined;
}
