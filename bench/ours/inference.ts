import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { float32Tensor } from '../../src/ml/graph/tensor.ts';
import { initialise } from '../../src/ml/networks/initialise.ts';
import { namedNetwork } from '../../src/ml/networks/registry.ts';
import { stateShapes } from '../../src/ml/networks/stateShapes.ts';
import { report, timed } from './report.ts';

/* A pass of a frozen network on the CPU. Arguments: architecture, batch size, passes. */
const [name = 'resnet18', batchText = '16', passesText = '5'] = process.argv.slice(2);
const batchSize = Number(batchText);
const network = namedNetwork(name);
const graphFor = (batch: number) => network.graph('original', { batchSize: batch, size: 224 });
const state = initialise(stateShapes(graphFor(1)), network.initialise, 0);
const model = await onnxEngine.compileInference(graphFor, state, 'cpu');
const random = createRandom(0);
const pixels = Float32Array.from({ length: batchSize * 3 * 224 * 224 }, () => random.next());
const feeds = new Map([['images', float32Tensor([batchSize, 3, 224, 224], pixels)]]);

const figures = await timed(Number(passesText), batchSize, () => model.run(feeds));
await model.dispose();
report(figures);
