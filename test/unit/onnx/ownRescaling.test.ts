import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggestedConstants } from '../../../src/ml/inference/backbonePreprocessing.ts';
import { rescalesPixels } from '../../../src/ml/onnx/foreign/ownRescaling.ts';
import { indexModel } from '../../../src/ml/onnx/modelIndex.ts';
import type { OnnxNode } from '../../../src/ml/onnx/onnxModel.ts';

/** Whether a model does so whose nodes, one after the other, do this to its pixels before a convolution. */
function rescales(
  steps: readonly (readonly [opType: string, ...constant: number[]])[],
  more: OnnxNode[] = [],
): boolean {
  const node = steps.map(([opType, ...values], at): OnnxNode => {
    const input = [`x${at}`, ...(values.length > 0 ? [`c${at}`] : [])];
    return { opType, input, output: [`x${at + 1}`] };
  });
  const initializer = steps.map(([, ...floatData], at) => ({ name: `c${at}`, dims: [floatData.length], dataType: 1, floatData })); // prettier-ignore
  node.push({ opType: 'Conv', input: [`x${steps.length}`, 'weight'], output: ['y'] }, ...more);
  return rescalesPixels(indexModel({ node, initializer, input: [], output: [] }), 'x0');
}

test('a model that makes pixels of 0 to 255 small itself is told by its first constants', () => {
  assert.equal(rescales([['Mul', 1 / 255]]), true);
  assert.equal(rescales([['Transpose'], ['Mul', 1 / 127.5], ['Add', -1]]), true);
  assert.equal(rescales([['Cast'], ['Sub', 124, 116, 104], ['Div', 58, 57, 57]]), true);
  assert.equal(
    rescales([
      ['Mul', 1 / 255],
      ['Sub', 0.5],
      ['Div', 0.25],
    ]),
    true,
  );
});

test('any other model is not taken for one', () => {
  assert.equal(rescales([]), false);
  assert.equal(
    rescales([
      ['Sub', 0.485],
      ['Div', 0.229],
    ]),
    false,
  );
  assert.equal(rescales([['Mul', 2]]), false);
  assert.equal(rescales([['Relu'], ['Mul', 1 / 255]]), false);
  assert.equal(rescales([['Mul', 0]]), false);
  assert.equal(rescales([['Mul', 1 / 255]], [{ opType: 'Conv', input: ['x0', 'weight'], output: ['z'] }]), false);
});

test('what a file of Keras expects of its pixels is known or asked, and never guessed', () => {
  const unscaled = { channelsLast: true, rescalesPixels: false };
  const said: string[] = [];
  const log = (sentence: string) => said.push(sentence);
  assert.throws(
    () => suggestedConstants('x.onnx', unscaled, undefined, log),
    /does not say what it expects .* --scale 1\/255/,
  );
  const constants = suggestedConstants('x.onnx', { ...unscaled, rescalesPixels: true }, undefined, log);
  assert.deepEqual(constants, { scale: 1, mean: [0, 0, 0], std: [1, 1, 1], channels: 'rgb' });
  assert.match(said.join(), /rescales pixels itself/);
});
