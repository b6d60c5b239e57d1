import type { GivenConfig } from './trainingConfig.ts';

/** What the editor says of pretrained weights that cannot be had: `reason`, a sentence, and what to do. */
export function weightsAdviceForEditor(reason: string): string {
  const file = 'put the file into the weights folder (fivecrop.weightsFolder)';
  return joined(reason, `name a mirror in the settings (fivecrop.weightsMirror) or ${file}`);
}

/** The same for the shell; `folder` is where weights are looked for. */
export function weightsAdviceForShell(reason: string, folder: string): string {
  const file = `put the file into ${folder} (FIVECROP_WEIGHTS names another folder) or give it with --weights`;
  return joined(reason, `name a mirror with FIVECROP_MIRROR, ${file}`);
}

function joined(reason: string, advice: string): string {
  return `${reason.replace(/\.$/u, '')}; ${advice}.`;
}

/**
 * Whether a run of the network can begin with random weights where nothing can be fetched. Not that of an ONNX file, which
 * is frozen, and not timm's, which may be built only by what the hub says of it.
 */
export function trainsWithoutWeights(network: GivenConfig['network']): boolean {
  return network.kind === 'architecture' && (network.hub !== undefined || !network.name.startsWith('timm/'));
}
