// Draws a small data set, trains a small network on it and tests it: `node examples/trainAndTest.ts FOLDER`.
import { join } from 'node:path';
import { checkData, drawSampleData, testClassifier, trainClassifier } from 'fivecrop';

const folder = process.argv[2] ?? 'example';
const data = join(folder, 'flowers');
await drawSampleData(data);

const { classes, findings } = await checkData(data);
console.log(`${classes.length} classes, ${findings.length} findings`);

// Ctrl-C finishes the step and saves; `resumeTraining` goes on from there.
const stopping = new AbortController();
process.once('SIGINT', () => stopping.abort());

const run = await trainClassifier(
  data,
  {
    network: { kind: 'architecture', name: 'ConvNet1' },
    method: 'scratch',
    imageSize: 32,
    resize: 36,
    epochs: 2,
    device: 'cpu',
  },
  {
    out: join(folder, 'runs'),
    signal: stopping.signal,
    onEvent: (event) => {
      if (event.event === 'validation') console.log(`epoch ${event.epoch}: accuracy ${event.validAccuracy.toFixed(2)}`);
    },
  },
);
console.log(`${run.state} after ${run.steps} steps in ${run.folder}`);

const { evaluation } = await testClassifier(run.folder, data, { device: 'cpu' });
console.log(`${evaluation.images} test images, accuracy ${evaluation.accuracy.toFixed(2)}`);
