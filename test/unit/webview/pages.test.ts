import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';
import type { ImagePrediction } from '../../../src/protocol/prediction.ts';
import type { RunRecord } from '../../../src/protocol/runRecord.ts';
import type { RunState } from '../../../src/protocol/trainingEvents.ts';
import { trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';
import { csv } from '../../../src/protocol/csv.ts';
import { contrast, parseColor, type Rgb } from '../../../src/webview/components/contrast.ts';
import { colorDifference, curveColors } from '../../../src/webview/components/curveColors.ts';
import { themeVariables } from '../../pages/themes.ts';
import { fileName } from '../../../src/charts/format.ts';
import { sortedRows } from '../../../src/webview/components/sortRows.ts';
import { scrolledTo, visibleRows } from '../../../src/webview/components/visibleRows.ts';
import { setText } from '../../../src/webview/components/setText.ts';
import { byCrops, isOutdated, selectionNotes, testedData } from '../../../src/webview/evaluation/chooseEvaluation.ts';
import {
  confusionMatrix,
  imagesBehind,
  suspectedMislabels,
  topConfusions,
} from '../../../src/webview/evaluation/confusions.ts';
import { droppedUris } from '../../../src/webview/components/droppedUris.ts';
import {
  agreement,
  chosenRows,
  predictionsCsv,
  type PredictionRow,
} from '../../../src/webview/prediction/predictionRows.ts';
import { differingSettings, settingWords } from '../../../src/protocol/differingSettings.ts';
import { offeredActions, stateWord, type RunStanding } from '../../../src/webview/training/runState.ts';

function record(config: object, device?: string): RunRecord {
  const filled = trainingConfigSchema.parse({
    data: '/d',
    network: { kind: 'architecture', name: 'resnet18' },
    ...config,
  });
  return { config: filled, environment: { fallbacks: [], device } } as unknown as RunRecord;
}

test('a comparison lists only the settings that differ, with a dash where a run has none', () => {
  const differing = differingSettings([record({ learningRate: 0.01 }), record({ clipNorm: 1 }), record({})]);
  assert.deepEqual(differing, [
    { setting: 'learningRate', values: ['0.01', '0.001', '0.001'] },
    { setting: 'clipNorm', values: ['–', '1', '–'] },
  ]);
  assert.deepEqual(differingSettings([record({}), record({})]), []);
  assert.equal(settingWords('network.learningRate'), 'network learning rate');
});

test('a comparison says what a name stands for on the hub only where all runs have the same name', () => {
  const onHub = (name: string, bytes: number) => record({ network: { kind: 'architecture', name, hub: { sha256: 'f'.repeat(64), bytes } } }); // prettier-ignore
  const settings = (...runs: RunRecord[]) => differingSettings(runs).map(({ setting }) => setting);
  assert.deepEqual(settings(onHub('timm/a.b', 1), onHub('timm/c.d', 2)), ['network.name']);
  assert.deepEqual(settings(onHub('timm/a.b', 1), onHub('timm/a.b', 2)), ['network.hub.bytes']);
});

test('a comparison names the device that a run really used', () => {
  assert.deepEqual(differingSettings([record({}, 'cpu'), record({}, 'webgpu')]), [
    { setting: 'device', values: ['cpu', 'webgpu'] },
  ]);
});

const ofResnet = { network: { kind: 'architecture', name: 'resnet18' } } as const;

function standing(state: RunState, changes: Partial<RunStanding> = {}): RunStanding {
  return { record: { state, config: ofResnet }, brokenOff: false, usable: true, ...changes };
}

function offered(...run: Parameters<typeof standing>): string[] {
  return offeredActions(standing(...run)).map(({ action, disabled }) => (disabled === true ? `(${action})` : action));
}

test('what is offered for a run can work: without a checkpoint no test, classify or export, but a new start', () => {
  const ended = ['test', 'classify', 'exportModel', 'trainAgain'];
  assert.deepEqual(offered('finished'), ended);
  assert.deepEqual(offered('stopped'), ['resume', ...ended]);
  assert.deepEqual(offered('failed', { usable: false }), ['resume', 'trainAgain']);
  assert.deepEqual(offered('running', { brokenOff: true }), ['resume', ...ended]);
  const weights = ['openWeightsFolder', 'setMirror', 'trainWithoutWeights'];
  const lacking = (config: RunStanding['record']['config']) => {
    const record = { state: 'failed', missing: 'weights', config } as const;
    return offered('failed', { usable: false, record });
  };
  assert.deepEqual(lacking(ofResnet), ['resume', ...weights, 'trainAgain']);
  // Nothing is known of either where nothing can be fetched.
  const ofHub = { kind: 'architecture', name: 'timm/resnet18.mine' } as const;
  const short = { kind: 'backbone', file: 'dinov2-small' } as const;
  for (const network of [ofHub, short]) {
    assert.deepEqual(lacking({ network }), ['resume', ...weights.slice(0, 2), 'trainAgain']);
  }
  assert.deepEqual(offered('running'), ['pause', 'stop']);
  assert.equal(stateWord(standing('running', { brokenOff: true })), 'Interrupted');
});

test('a job that waits can be taken out of its queue, a lost one goes on, and a far process is not ended at once', () => {
  for (const job of ['queued', 'requeued'] as const)
    assert.deepEqual(offered('preparing', { job, usable: false }), ['stop', 'trainAgain']);
  assert.deepEqual(offered('preparing', { job: 'queued', asked: 'stop', usable: false }), ['(stop)', 'trainAgain']);
  assert.deepEqual(offered('running', { job: 'lost', brokenOff: true }).slice(0, 2), ['resume', 'test']);
  assert.deepEqual(offered('running', { job: 'unfollowed' }).slice(0, 3), ['follow', 'stop', 'test']);
  assert.deepEqual(offered('running', { away: {} }), ['pause', 'stop']);
  assert.deepEqual(offered('running', { away: {}, asked: 'stop' }), ['(pause)', '(stop)']);
  assert.deepEqual(offered('paused', { away: {} }), ['resume', 'stop']);
  assert.equal(stateWord(standing('preparing', { job: 'requeued' })), 'Requeued');
  assert.equal(stateWord(standing('running', { job: 'lost', brokenOff: true })), 'Lost');
  assert.equal(stateWord(standing('running', { away: { host: 'node7' } })), 'Running on node7');
});

test('a run that was asked to stop says so, and what is left is to stop it now', () => {
  assert.deepEqual(offered('running', { asked: 'stop' }), ['(pause)', 'stopNow']);
  assert.deepEqual(offered('stopping'), ['(pause)', 'stopNow']);
  assert.deepEqual(offered('running', { asked: 'pause' }), ['(pause)', 'stop']);
  assert.deepEqual(offered('stopped', { asked: 'resume', usable: false }), ['(resume)', 'trainAgain']);
  assert.equal(stateWord(standing('running', { asked: 'stop' })), 'Stopping…');
  assert.equal(stateWord(standing('running', { asked: 'pause' })), 'Pausing…');
});

test('a test result says of which images it is, and an old one that it does not know', () => {
  const notes = ['The checkpoint does not say which images it was trained on.'];
  const selection = { chosenBy: 'all' as const, knowsTraining: false, alreadyUsed: 0, notes };
  const without = { selection: { ...selection, notes: [] } };
  assert.deepEqual(selectionNotes({ 1: { selection } }), notes);
  assert.deepEqual(selectionNotes({ 1: { selection }, 5: { selection } }), notes);
  assert.deepEqual(selectionNotes({ 1: { selection }, 5: without }), [`Center crop: ${notes.join()}`]);
  assert.deepEqual(selectionNotes({ 5: without }), []);
  assert.match(selectionNotes({ 5: {} }).join(), /^This result does not say whether the run was trained on some/);
});

test('text that a page sets later shows hidden characters as symbols too', () => {
  const target = { textContent: '' };
  setText(target, 'rose\u202egpj.\u0007');
  assert.equal(target.textContent, 'rose\\u202egpj.\u2407');
});

test('CSV quotes what needs it and disarms formulas', () => {
  assert.equal(csv([['a,b', 'say "x"', -1.5, undefined, '=1+1', '-2']]), `"a,b","say ""x""",-1.5,,'=1+1,'-2\r\n`);
});

test('names are ordered as people do, equal rows keep their order', () => {
  assert.deepEqual(
    sortedRows(['b10', 'b9', 'a'], (row) => row, false),
    ['a', 'b9', 'b10'],
  );
  const rows = [
    { id: 1, v: 5 },
    { id: 2, v: 5 },
    { id: 3, v: 9 },
  ];
  assert.deepEqual(
    sortedRows(rows, ({ v }) => v, true).map(({ id }) => id),
    [3, 1, 2],
  );
});

test('only rows near the window are built, whatever is scrolled', () => {
  assert.deepEqual(visibleRows(1000, 50, 0, 500), { first: 0, end: 14 });
  assert.deepEqual(visibleRows(1000, 50, 49_900, 500), { first: 994, end: 1000 });
  assert.deepEqual(visibleRows(3, 50, 9999, 500), { first: 3, end: 3 });
  assert.equal(scrolledTo(20, 50, 0, 500), 550);
  assert.equal(scrolledTo(2, 50, 500, 500), 100);
  assert.equal(scrolledTo(12, 50, 500, 500), 500);
});

const label = (index: number) => ({ index, folder: String(index), name: `class ${index}` });

function prediction(image: string, first: number, probability: number, crops: readonly number[]): PredictionRow {
  const top = (index: number) => [{ ...label(index), probability }];
  const shown = {
    image,
    width: 9,
    height: 9,
    mean: top(first),
    crops: crops.map((index) => ({ crop: 'center', frame: { left: 0, top: 0, width: 9, height: 9 }, top: top(index) })),
  } as ImagePrediction;
  return { kind: 'classified', image, prediction: shown, thumbnail: '' };
}

const rows: PredictionRow[] = [
  prediction('/x/img10.jpg', 1, 0.9, [1, 1, 1, 1, 1]),
  prediction('/x/img9.jpg', 2, 0.4, [2, 1, 1, 2, 2]),
  { kind: 'failed', image: '/x/bad.jpg', error: 'cut off' },
];
const choice = { order: 'name', descending: false, filter: '', onlyDisagreeing: false } as const;

test('images are ordered and filtered by what was found, those that failed last', () => {
  const names = (part: object) => chosenRows(rows, { ...choice, ...part }).map(({ image }) => fileName(image));
  assert.deepEqual(names({}), ['bad.jpg', 'img9.jpg', 'img10.jpg']);
  assert.deepEqual(names({ order: 'probability' }), ['img9.jpg', 'img10.jpg', 'bad.jpg']);
  assert.deepEqual(names({ order: 'probability', descending: true }), ['img10.jpg', 'img9.jpg', 'bad.jpg']);
  assert.deepEqual(names({ order: 'agreement' }), ['img9.jpg', 'img10.jpg', 'bad.jpg']);
  assert.deepEqual(names({ onlyDisagreeing: true }), ['img9.jpg']);
  assert.deepEqual(names({ filter: 'CLASS 1' }), ['img10.jpg']);
});

test('agreement counts the crops that say what the mean says', () => {
  const row = rows[1];
  assert.deepEqual(row?.kind === 'classified' ? agreement(row.prediction) : undefined, { agreeing: 3, of: 5 });
});

test('the CSV of predictions has a row an image, also for those that failed', () => {
  const lines = predictionsCsv(rows).trim().split('\r\n');
  assert.equal(lines[0], 'image,class1,folder1,index1,probability1,agreeing,crops,error');
  assert.equal(lines[1], '/x/img10.jpg,class 1,1,1,0.9,5,5,');
  assert.equal(lines[3], '/x/bad.jpg,,,,,,,cut off');
});

test('a list of addresses loses comments and empty lines', () => {
  assert.deepEqual(droppedUris('# c\r\nfile:///a.jpg\n\nfile:///b.jpg\r\n'), ['file:///a.jpg', 'file:///b.jpg']);
});

const evaluation = {
  data: '/d',
  split: 'test',
  cropCount: 5,
  perClass: [0, 1, 2].map((index) => ({ ...label(index), images: 4, accuracy: 0.5 })),
  confusion: [
    [0, 0, 3],
    [0, 1, 1],
    [1, 1, 1],
    [1, 2, 3],
    [2, 2, 4],
  ],
  results: [
    { image: 'a', actual: 1, predicted: 2, probability: 0.97, actualProbability: 0.01 },
    { image: 'b', actual: 1, predicted: 2, probability: 0.99, actualProbability: 0.01 },
    { image: 'c', actual: 0, predicted: 1, probability: 0.5, actualProbability: 0.4 },
    { image: 'd', actual: 0, predicted: 0, probability: 1, actualProbability: 1 },
  ],
} as unknown as Evaluation;

test('confusions are counted by class and ordered by number', () => {
  const matrix = confusionMatrix(evaluation);
  assert.equal(matrix.count(1, 2), 3);
  assert.equal(matrix.share(1, 2), 0.75);
  assert.equal(matrix.share(7, 7), 0);
  assert.deepEqual(
    topConfusions(evaluation, 9).map(({ actual, predicted }) => [actual, predicted]),
    [
      [1, 2],
      [0, 1],
    ],
  );
});

test('the images behind a cell and the suspected mislabels come surest first', () => {
  assert.deepEqual(
    imagesBehind(evaluation, 1, 2).map(({ image }) => image),
    ['b', 'a'],
  );
  assert.deepEqual(
    suspectedMislabels(evaluation, 0.9).map(({ image }) => image),
    ['b', 'a'],
  );
  assert.deepEqual(
    suspectedMislabels(evaluation, 0.5).map(({ image }) => image),
    ['b', 'a', 'c'],
  );
});

test('of several tests of the same data the newest with one crop and with five are shown', () => {
  const all = [
    evaluation,
    { ...evaluation, cropCount: 1 as const },
    { ...evaluation, loss: 9 },
    { ...evaluation, split: 'valid' },
  ];
  assert.deepEqual(testedData(all), [
    { data: '/d', split: 'test' },
    { data: '/d', split: 'valid' },
  ]);
  const pair = byCrops(all, { data: '/d', split: 'test' });
  assert.equal(pair[5], evaluation);
  assert.equal(pair[1]?.cropCount, 1);
});

test('a result from before the checkpoint was written again is that of another one', () => {
  const time = '2026-01-01T10:00:00.000Z';
  assert.equal(isOutdated({ time }, '2026-01-01T10:00:01.000Z'), true);
  assert.equal(isOutdated({ time }, '2026-01-01T09:00:00.000Z'), false);
  assert.equal(isOutdated({ time }, undefined), false);
});

for (const [theme, variables] of Object.entries(themeVariables)) {
  test(`curves can be seen and told from one another, also where orange is missing or a second blue: ${theme}`, () => {
    const background = parseColor(variables['--vscode-editor-background'] ?? '');
    assert.ok(background);
    for (const orange of [variables['--vscode-charts-orange'], '#0F4A85']) {
      const wanted = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'].map(
        (name) => (name === 'orange' ? orange : variables[`--vscode-charts-${name}`]) ?? '',
      );
      const drawn: Rgb[] = curveColors(wanted, background).flatMap((color) => {
        const parsed = parseColor(color);
        return parsed === undefined ? [] : [parsed];
      });
      assert.equal(drawn.length, wanted.length);
      drawn.forEach((color, index) => {
        assert.ok(contrast(color, background) >= 3, wanted[index]);
        for (const other of drawn.slice(0, index)) assert.ok(colorDifference(color, other) >= 0.1, wanted[index]);
      });
      assert.deepEqual(drawn[0], parseColor(wanted[0] ?? ''), 'what a theme has and can be seen stays');
    }
  });
}

test('a colour is read without its transparency: the editor’s orange for charts has a third of its strength', () => {
  assert.deepEqual(parseColor('rgba(234, 92, 0, 0.33)'), [234, 92, 0]);
  assert.deepEqual(parseColor('#d1861654'), [209, 134, 22]);
  assert.deepEqual(parseColor('#59a'), [85, 153, 170]);
  assert.equal(parseColor('orange'), undefined);
});
