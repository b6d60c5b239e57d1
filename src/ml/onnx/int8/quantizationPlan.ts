import { constantFloats } from '../constantFloats.ts';
import { attribute, indexModel, integerAttribute, type ModelIndex, valuesRead } from '../modelIndex.ts';
import { float32Value, type OnnxModel, type OnnxNode, onnxDataTypes, onnxNumber } from '../onnxModel.ts';

/** What an operator that computes in 8 bits is; `same` hands the bytes of its inputs on. */
export type QuantizedKind = 'convolution' | 'norm' | 'add' | 'averagePool' | 'same';

/** An operator that computes in 8 bits. */
export interface QuantizedStep {
  readonly kind: QuantizedKind;
  readonly node: OnnxNode;
  /** The map that it gives, behind the activation that it takes along. */
  readonly output: string;
}

/** Which parts of a model compute in 8 bits. */
export interface QuantizationPlan {
  readonly steps: ReadonlyMap<OnnxNode, QuantizedStep>;
  /** Activations that an operator before them takes along: the ends of what 8 bits can hold do their work. */
  readonly dropped: ReadonlySet<OnnxNode>;
  /** All maps that are held in 8 bits, each with a name that those have in common which share a range. */
  readonly held: ReadonlyMap<string, string>;
}

/** The operator set that the 8-bit forms of all operators, a max pool's among them, are in. */
const oldestOpset = 12;

/**
 * Finds what of a model can compute in 8 bits; nothing where the file is of an older operator set. It goes by ONNX's own
 * operators, and not by a form of ours for each, as foreign files are brought to 8 bits too, and what our records lower to
 * is no different: one rule serves both.
 */
export function planQuantization({ graph, opsetImport }: OnnxModel): QuantizationPlan {
  const index = indexModel(graph);
  const readers = readersOf(index);
  const steps = new Map<OnnxNode, QuantizedStep>();
  const dropped = new Set<OnnxNode>();
  const rectified = new Set<string>();
  const ranges = createRanges();
  const opset = opsetImport.find(({ domain }) => domain === undefined || domain === '');
  const nodes = onnxNumber(opset?.version) < oldestOpset ? [] : graph.node;
  for (const node of nodes) {
    const kind = kindOf(index, readers, node, ranges.has);
    if (!kind || (kind === 'same' && new Set(node.input.map((value) => rectified.has(value))).size > 1)) continue;
    const [made = ''] = node.output;
    const activation = kind === 'same' ? undefined : activationAfter(index, readers, made);
    if (activation) dropped.add(activation);
    const output = activation?.output[0] ?? made;
    // A map that begins at 0 in the place of its ReLU may not share the range of one that goes below.
    if (activation || (kind === 'same' && rectified.has(node.input[0] ?? ''))) rectified.add(output);
    steps.set(node, { kind, node, output });
    ranges.add(output);
    if (kind === 'convolution' || kind === 'norm') ranges.add(node.input[0] ?? '');
    if (kind === 'same') for (const value of node.input) ranges.share(value, output);
  }
  return { steps, dropped, held: ranges.all() };
}

function kindOf(
  index: ModelIndex,
  readers: Readers,
  node: OnnxNode,
  isHeld: (value: string) => boolean,
): QuantizedKind | undefined {
  const [x = '', ...others] = node.input;
  const allHeld = node.input.every(isHeld);
  const fixed = others.every((value) => value === '' || isFloat(index, value));
  switch (node.opType) {
    case 'Conv':
      return fixed && index.constants.get(others[0] ?? '')?.dims?.length === 4 && !isMean(index, x)
        ? 'convolution'
        : undefined;
    case 'BatchNormalization':
      return fixed && node.output.length === 1 ? 'norm' : undefined;
    case 'Add':
      return allHeld ? 'add' : undefined;
    case 'AveragePool':
      return allHeld && readers.get(node.output[0] ?? '')?.some((reader) => reader && goesOn(reader))
        ? 'averagePool'
        : undefined;
    case 'MaxPool':
      return allHeld && node.output.length === 1 ? 'same' : undefined;
    case 'Concat':
      return allHeld && integerAttribute(node, 'axis', 0) === 1 ? 'same' : undefined;
    default:
      return undefined;
  }
}

function isFloat(index: ModelIndex, value: string): boolean {
  return index.constants.get(value)?.dataType === onnxDataTypes.float32;
}

/** A mean over a whole map is small and worth its exact value. */
function isMean(index: ModelIndex, value: string): boolean {
  return /^(GlobalAveragePool|ReduceMean)$/u.test(index.producers.get(value)?.opType ?? '');
}

/** Whether more maps come of what an operator gives. Else its floats are what comes out, such as features. */
function goesOn({ opType }: OnnxNode): boolean {
  return /^(Conv|BatchNormalization|Add|Concat|MaxPool)$/u.test(opType);
}

/** The ReLU, or the clip from 0 on, that alone reads a value. */
function activationAfter(index: ModelIndex, readers: Readers, value: string): OnnxNode | undefined {
  const reading = readers.get(value) ?? [];
  const [only] = reading;
  if (reading.length !== 1 || !only) return undefined;
  if (only.opType === 'Relu') return only;
  return only.opType === 'Clip' && lowerEnd(index, only) === 0 ? only : undefined;
}

function lowerEnd(index: ModelIndex, clip: OnnxNode): number | undefined {
  const tensor = index.constants.get(clip.input[1] ?? '');
  return tensor ? constantFloats(tensor)[0] : attribute(clip, 'min')?.f;
}

type Readers = ReadonlyMap<string, readonly (OnnxNode | undefined)[]>;

/** Who reads each value; undefined stands for the model's output. */
function readersOf({ graph }: ModelIndex): Readers {
  const readers = new Map<string, (OnnxNode | undefined)[]>();
  const add = (value: string, reader: OnnxNode | undefined) => {
    const known = readers.get(value);
    if (known) known.push(reader);
    else readers.set(value, [reader]);
  };
  for (const node of graph.node) for (const value of valuesRead(node)) add(value, node);
  for (const { name } of graph.output) add(name, undefined);
  return readers;
}

/** Maps by the range that they have in common. */
function createRanges() {
  const parents = new Map<string, string>();
  const rootOf = (value: string): string => {
    let root = value;
    for (let parent = parents.get(root) ?? root; parent !== root; parent = parents.get(root) ?? root) {
      // The next search has half of the way.
      parents.set(root, parents.get(parent) ?? parent);
      root = parent;
    }
    return root;
  };
  const add = (value: string) => {
    if (!parents.has(value)) parents.set(value, value);
  };
  return {
    has: (value: string) => parents.has(value),
    add,
    share: (a: string, b: string) => {
      add(a);
      add(b);
      parents.set(rootOf(a), rootOf(b));
    },
    all: () => new Map([...parents.keys()].map((value) => [value, rootOf(value)])),
  };
}

/** Least and largest value that a map was seen to hold. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** A model that also gives the ranges of maps, each as two outputs of one value. */
export interface WatchedModel {
  readonly model: OnnxModel;
  /** By the map's name, the names of the outputs that give its least and its largest value. */
  readonly ends: ReadonlyMap<string, { readonly low: string; readonly high: string }>;
}

/** The model with the range of every map that `plan` holds in 8 bits as outputs behind its own. */
export function watchRanges(model: OnnxModel, { held }: QuantizationPlan): WatchedModel {
  const names = [...held.keys()];
  const ends = new Map(names.map((value, at) => [value, { low: `range_low_${at}`, high: `range_high_${at}` }]));
  const attributes = [{ name: 'keepdims', type: 2, i: 0 }];
  const node = [...ends].flatMap(([value, { low, high }]): OnnxNode[] => [
    { opType: 'ReduceMin', input: [value], output: [low], attribute: attributes },
    { opType: 'ReduceMax', input: [value], output: [high], attribute: attributes },
  ]);
  const output = node.map((each) => float32Value(each.output[0] ?? '', []));
  const { graph } = model;
  return {
    model: { ...model, graph: { ...graph, node: [...graph.node, ...node], output: [...graph.output, ...output] } },
    ends,
  };
}
