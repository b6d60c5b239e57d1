import { addEvent, emptyCurves } from '../../../src/charts/runCurves.ts';
import type { RunResults } from '../../../src/ml/results/readResults.ts';
import { type Evaluation, evaluationSchema } from '../../../src/protocol/evaluation.ts';
import { runRecordSchema } from '../../../src/protocol/runRecord.ts';
import type { TrainingConfigInput } from '../../../src/protocol/trainingConfig.ts';
import type { TrainingEvent } from '../../../src/protocol/trainingEvents.ts';

const time = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const throughput = { imagesPerSecond: 10, memoryBytes: 300 * 2 ** 20, device: 'cpu' };

/** Events of a run of two epochs of two steps, a second each, validated after each epoch. */
function eventsOf(accuracies: readonly number[]): TrainingEvent[] {
  const about = { run: 'r', engine: 'onnx', device: 'cpu', network: 'n', classes: 2, trainImages: 9, validImages: 4 };
  const steps = accuracies.flatMap((validAccuracy, place): TrainingEvent[] => {
    const [first, second] = [2 * place + 1, 2 * place + 2];
    const epoch = place + 1;
    const losses = { trainLoss: 1.5 - place / 2, validLoss: 1.25 - place / 2 };
    return [
      {
        event: 'step',
        time: time(first),
        step: first,
        epoch: epoch - 0.5,
        loss: 2 / first,
        learningRate: 0.1,
        ...throughput,
      },
      { event: 'step', time: time(second), step: second, epoch, loss: 2 / second, learningRate: 0.1, ...throughput },
      {
        event: 'validation',
        time: time(second),
        step: second,
        epoch,
        ...losses,
        validAccuracy,
        validTop5: 1,
        ...throughput,
      },
    ];
  });
  return [{ event: 'start', time: time(0), ...about, stepsPerEpoch: 2, totalSteps: 4, step: 0 }, ...steps];
}

/** A finished run whose classes have these names. */
export function madeResults(
  name: string,
  {
    classes = ['daisy', 'rose'],
    config = {},
  }: { classes?: readonly string[]; config?: Partial<TrainingConfigInput> } = {},
): RunResults {
  const record = runRecordSchema.parse({
    version: 1,
    ...{ name, created: time(0), updated: time(9), state: 'finished', reason: 'All 2 epochs are done.' },
    config: {
      data: '/secret place/flowers',
      network: { kind: 'architecture', name: 'ConvNet1' },
      method: 'scratch',
      ...config,
    },
    environment: {
      fivecrop: '1.2.3',
      node: 'v20',
      platform: 'linux-x64',
      engine: 'onnx',
      device: 'cpu',
      fallbacks: [],
    },
    data: {
      ...{ data: '/secret place/flowers', splitBy: 'folders', undecodable: [], duplicates: [] },
      classes: classes.map((title, index) => ({
        index,
        folder: String(index),
        name: title,
        train: 9,
        valid: 4,
        test: 3,
      })),
      images: { train: 18, valid: 8, test: 6 },
      findings: [],
    },
  });
  const curves = emptyCurves();
  for (const event of eventsOf([0.5, 0.75])) addEvent(curves, event);
  return {
    folder: `/runs/${name}`,
    record,
    state: 'finished',
    curves,
    memoryBytes: 300 * 2 ** 20,
    warnings: [],
    evaluations: [],
  };
}

/** A test of images of two classes, `right[i]` telling whether image `i` is recognized; all are of `image`. */
export function madeEvaluation(
  right: readonly boolean[],
  {
    names = ['daisy', 'rose'],
    image = (index: number) => `/data/test/${index}.jpg`,
  }: { names?: readonly string[]; image?: (index: number) => string } = {},
): Evaluation {
  const results = right.map((isRight, index) => {
    const actual = index % 2;
    return {
      image: image(index),
      actual,
      predicted: isRight ? actual : 1 - actual,
      probability: 0.7,
      actualProbability: isRight ? 0.7 : 0.3,
    };
  });
  const count = (actual: number, predicted: number) =>
    results.filter((result) => result.actual === actual && result.predicted === predicted).length;
  const confusion = [0, 1]
    .flatMap((actual) => [0, 1].map((predicted) => [actual, predicted, count(actual, predicted)]))
    .filter(([, , cases]) => cases !== 0);
  return evaluationSchema.parse({
    ...{ version: 1, checkpoint: '/c', data: '/data', split: 'test', cropCount: 1, leftOut: 0, loss: 0.5, top5: 1 },
    images: right.length,
    accuracy: right.filter(Boolean).length / right.length,
    perClass: names.map((name, index) => ({ index, folder: String(index), name, images: 1, accuracy: 1 })),
    ...{ confusion, results, time: time(20) },
  });
}
