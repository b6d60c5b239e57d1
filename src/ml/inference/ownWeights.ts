import { basename } from 'node:path';
import type { ClassLabel } from '../../protocol/checkpointMetadata.ts';
import { mostClasses } from '../../protocol/bounded.ts';
import { userError } from '../../protocol/errors.ts';
import type { Preprocessing } from '../../protocol/preprocessing.ts';
import { readClassList } from '../data/classList.ts';
import { float32Tensor, type StateDict } from '../graph/tensor.ts';
import type { NamedNetwork } from '../networks/registry.ts';
import { stateShapes, type StateShapes } from '../networks/stateShapes.ts';
import { applyWeights, fittingNames, type TensorForms } from '../weights/applyWeights.ts';
import { loadWeightsFile } from '../weights/weightsFile.ts';
import type { ClassifierGraph } from './classifier.ts';
import { imagenetClasses } from './imagenetClasses.ts';

export interface OwnWeights {
  readonly network: NamedNetwork;
  /** A `.pth` or `.safetensors` file with the network's weights and those of its classifier, a Linear, for any classes. */
  readonly file: string;
  readonly preprocessing: Preprocessing;
  /** File that names the classes, see `readClassList`. */
  readonly labels?: string | undefined;
}

/**
 * A network with the weights of a file whose classifier is the network's own, for as many classes as the file has. Hears
 * through `log` if the classes' names are not known. Throws a user error where the weights do not fit, and where `labels`
 * names another number of classes.
 */
export async function ownWeightsGraph(
  { network, file, preprocessing, labels }: OwnWeights,
  log: (sentence: string) => void = () => undefined,
): Promise<ClassifierGraph> {
  const { name, ownClassifier: module, extraTensors: extra, positions, reference } = network;
  const size = preprocessing.crop;
  const original = stateShapes(network.graph('original', { batchSize: 1, size }));
  const options = { extra, positions, network: name, source: file };
  let shapes: StateShapes = original;
  const loaded = await loadWeightsFile(file, (forms) => {
    shapes = withClasses(original, network, classesOf(forms, network, file));
    return fittingNames(shapes, forms, options);
  });
  const state = applyWeights(shapes, loaded, options);
  const classes = shapes.get(`${module}.weight`)?.[0] ?? network.classes;
  const named = await labelsOf(file, classes, labels, log);
  const made = { title: file, network: reference, labels: named, preprocessing };
  if (classes === network.classes) {
    const graphFor = (batchSize: number) => network.graph('original', { batchSize, size, pixels: preprocessing });
    return { ...made, graphFor, state };
  }
  const head = { hidden: [], dropout: 0, classes };
  const graphFor = (batchSize: number) => network.graph(head, { batchSize, size, pixels: preprocessing });
  return { ...made, graphFor, state: asHead(state, network, stateShapes(graphFor(1))) };
}

/** How many classes the file's classifier has: as many as the network's own where it has none. */
function classesOf(forms: TensorForms, { ownClassifier, classes }: NamedNetwork, file: string): number {
  const [count = classes] = forms.get(`${ownClassifier}.weight`)?.shape ?? [];
  if (count < 1 || count > mostClasses) throw userError(`${file} has a classifier of ${count} classes, which cannot be used.`); // prettier-ignore
  return count;
}

/** The network's tensors, with a classifier of so many classes. */
function withClasses(
  shapes: StateShapes,
  { ownClassifier, classes, features }: NamedNetwork,
  count: number,
): StateShapes {
  if (count === classes) return shapes;
  const [weight, bias] = [`${ownClassifier}.weight`, `${ownClassifier}.bias`];
  const hasBias = classes === 0 || shapes.has(bias);
  return new Map([...shapes, [weight, [count, features]], ...(hasBias ? [[bias, [count]] as const] : [])]);
}

/** The same weights under the names of a head without hidden layers, which is the same Linear. */
function asHead(state: StateDict, { classifier, ownClassifier }: NamedNetwork, shapes: StateShapes): StateDict {
  const output = `${classifier}.output`;
  return new Map(
    [...shapes].map(([name, shape]) => {
      const own = name.startsWith(`${output}.`) ? `${ownClassifier}${name.slice(output.length)}` : name;
      // A classifier without a bias adds nothing.
      return [name, state.get(own) ?? float32Tensor(shape)] as const;
    }),
  );
}

/** The names that a file gives the classes; ImageNet's where there is none for as many classes, else numbers. */
export async function labelsOf(
  file: string,
  classes: number,
  labels: string | undefined,
  log: (sentence: string) => void,
): Promise<readonly ClassLabel[]> {
  if (labels === undefined) {
    if (classes === imagenetClasses.length) return imagenetClasses;
    log(`${basename(file)} has ${classes} classes and does not name them; --labels FILE does.`);
    return Array.from({ length: classes }, (_, index) => ({ index, folder: String(index), name: `class ${index}` }));
  }
  const names = await readClassList(labels);
  if (names.length === classes) return names.map((name, index) => ({ index, folder: name, name }));
  throw userError(`${labels} names ${names.length} classes, and ${basename(file)} has ${classes}: name them all, in the order of its output.`); // prettier-ignore
}
