import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportFormatNames, exportFormatOf, exportFormats, requireTaken } from '../../../src/protocol/exportWishes.ts';

const usage = (message: RegExp) => ({ name: 'UserError', kind: 'usage', message });

test('the format of a file is told by its ending, that of a folder has to be asked for', () => {
  assert.equal(exportFormatOf('a/b.onnx'), 'onnx');
  assert.equal(exportFormatOf('B.PTH'), 'pth');
  assert.equal(exportFormatOf('a.b/model', 'timm'), 'timm');
  assert.equal(exportFormatOf('flowers.v2', 'tfjs'), 'tfjs');
  assert.equal(exportFormatOf('x.onnx', 'onnx'), 'onnx');
  const mixed: readonly (readonly [string, 'onnx' | 'pth' | 'timm' | 'tfjs' | undefined, RegExp])[] = [
    ['a.b/model', undefined, /^a\.b\/model: name a file \*\.onnx or \*\.pth, or choose the format timm or tfjs, which writes a folder\.$/], // prettier-ignore
    ['x.pth', 'onnx', /^x\.pth: a file of the format onnx must be named \*\.onnx\.$/],
    ['x', 'pth', /must be named \*\.pth\.$/],
    ['x.onnx', 'timm', /^x\.onnx: the format timm writes a folder: name one that does not end in \.onnx\.$/],
  ];
  for (const [out, format, message] of mixed) assert.throws(() => exportFormatOf(out, format), usage(message));
});

test('a wish that a format has no use for is refused, and one to leave something out is not', () => {
  for (const format of exportFormatNames) {
    requireTaken(format, { format });
    requireTaken(format, { format, imagesOfData: false, scripts: false });
    const isOnnx = format === 'onnx';
    for (const wish of [{ input: 'nchw' }, { precision: 'int8' }, { scripts: true }] as const) {
      if (isOnnx) requireTaken(format, wish);
      else assert.throws(() => requireTaken(format, wish), usage(new RegExp(`cannot be used with the format ${format}: leave it out`))); // prettier-ignore
    }
    assert.ok(exportFormats[format].about.length > 20);
  }
  requireTaken('tfjs', { crops: 1, imagesOfData: true });
  assert.throws(() => requireTaken('timm', { crops: 1 }), usage(/^crops cannot be used with the format timm/));
  requireTaken('onnx', { input: 'normalized', precision: 'float16' });
  for (const wish of [{ crops: 1 }, { imagesOfData: true }, { scripts: true }] as const) {
    assert.throws(() => requireTaken('onnx', { input: 'normalized', ...wish }), usage(/with the input normalized/));
  }
});
