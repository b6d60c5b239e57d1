import type { CheckpointMetadata, ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { userError } from '../../protocol/errors.ts';
import { networkName } from '../../protocol/networkName.ts';
import type { StateDict } from '../graph/tensor.ts';
import { readUsableCheckpoint } from '../inference/usableCheckpoint.ts';
import { type NamedNetwork, namedNetwork } from '../networks/registry.ts';
import { moduleOf } from '../networks/stateShapes.ts';
import { timmPixels } from '../networks/timm.ts';

/** A checkpoint as timm has it: what its `config.json` says, and its tensors under timm's names. */
interface TimmModel {
  readonly config: ReturnType<typeof configOf>;
  readonly state: StateDict;
  readonly metadata: CheckpointMetadata;
}

/**
 * A checkpoint as a model that timm loads (`timm.create_model('local-dir:…')`), and transformers by timm, whose logits are
 * the checkpoint's. Throws as `readUsableCheckpoint` does, and a user error where timm has no such network, head or images.
 */
export async function timmModel(file: string): Promise<TimmModel> {
  const { state, metadata } = await readUsableCheckpoint(file);
  const { network: reference, head } = metadata;
  const refused = (why: string, cause?: unknown) =>
    userError(`${file} cannot be written for timm, because ${why}: export it as *.onnx, which runs anywhere.`, cause);
  if (head.hidden.length > 0) throw refused('its head has a hidden layer, and those of timm’s networks have none');
  const network = reference.kind === 'architecture' ? namedNetwork(reference.name, reference.hub) : undefined;
  if (!network?.timm) throw refused(`timm has no network of the same layers and names as ${networkName(reference)}`);
  try {
    return {
      config: configOf(network, network.timm, metadata),
      state: new Map([...state].map(([name, tensor]) => [timmName(network, name), tensor])),
      metadata,
    };
  } catch (error) {
    if (error instanceof RangeError) throw refused(`timm cannot prepare its images: ${error.message}`, error);
    throw error;
  }
}

/** What timm calls a tensor of a network with a linear head, which takes the place of its own classifier. */
export function timmName({ classifier, ownClassifier }: NamedNetwork, name: string): string {
  const own = `${classifier}.output.`;
  return name.startsWith(own) ? `${ownClassifier}.${name.slice(own.length)}` : name;
}

function configOf(
  network: NamedNetwork,
  timm: NonNullable<NamedNetwork['timm']>,
  { classes, head, preprocessing, licence }: CheckpointMetadata,
) {
  const size = preprocessing.crop;
  const graph = network.graph(head, { batchSize: 1, size });
  const firstKernel = graph.parameters.find((name) => graph.types.get(name)?.axes === 'kernel') ?? '';
  const given = Object.entries(timm.model_args ?? {}).filter(([name]) => !saidElsewhere.has(name));
  const args = { ...Object.fromEntries(given), ...(network.isTransformer ? { img_size: size } : {}) };
  return {
    architecture: timm.architecture,
    num_classes: classes.length,
    num_features: timm.num_features,
    ...(timm.global_pool ? { global_pool: timm.global_pool } : {}),
    ...(Object.keys(args).length > 0 ? { model_args: args } : {}),
    label_names: labelNames(classes),
    pretrained_cfg: {
      custom_load: false,
      ...timmPixels(preprocessing),
      fixed_input_size: network.isTransformer,
      num_classes: classes.length,
      first_conv: moduleOf(firstKernel),
      classifier: network.ownClassifier,
      ...(licence === undefined ? {} : { license: licence }),
    },
  };
}

/** Arguments that are said of the weights that a run began with, and are others now or named already. */
const saidElsewhere: ReadonlySet<string> = new Set(['num_classes', 'in_chans', 'img_size', 'dynamic_img_size', 'dynamic_img_pad']); // prettier-ignore

/** Names for people; where two classes have one, those of their folders. */
function labelNames(classes: readonly ClassLabel[]): string[] {
  const names = classes.map(({ name }) => name);
  return new Set(names).size === names.length ? names : classes.map(({ folder }) => folder);
}
