import { buildNetwork, namedNetwork } from '../../src/ml/networks/registry.ts';
import { onnxEngineAside } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createGraphBuilder, finishGraph, input } from '../../src/ml/graph/builder.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { float32Tensor, type Tensor } from '../../src/ml/graph/tensor.ts';
import { initialise } from '../../src/ml/networks/initialise.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { report, timed } from './report.ts';

/* A full training step of a network on the CPU, with the engine that runs have there. Arguments: architecture, batch size, steps. */
const [name = 'resnet18', batchText = '32', stepsText = '5'] = process.argv.slice(2);
const batchSize = Number(batchText);
const classes = 102;

const graphFor = (batch: number) => {
  const builder = createGraphBuilder('batch');
  const images = input(builder, 'images', [batch, 3, 224, 224]);
  return finishGraph(builder, [buildNetwork(name, builder, images, { hidden: [], dropout: 0, classes })]);
};
const graph = graphFor(1);
const model = await onnxEngineAside().compileTraining(
  graphFor,
  { state: initialise(stateShapes(graph), namedNetwork(name).initialise, 0), optimizer: new Map(), step: 0 },
  {
    trainable: new Set(graph.parameters),
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    device: 'cpu',
  },
);
const random = createRandom(0);
const images = Float32Array.from({ length: batchSize * 3 * 224 * 224 }, () => random.next());
const targets = new Float32Array(batchSize * classes);
for (let row = 0; row < batchSize; row++) targets[row * classes + (row % classes)] = 1 / batchSize;
const feeds = new Map<string, Tensor>([
  ['images', float32Tensor([batchSize, 3, 224, 224], images)],
  ['targets', float32Tensor([batchSize, classes], targets)],
]);

const figures = await timed(Number(stepsText), batchSize, () => model.step([feeds], 1e-3));
await model.dispose();
report(figures);
