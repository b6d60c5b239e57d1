import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { pageParts } from '../../../src/ml/export/scripts/pageParts.ts';

interface Parts {
  readonly colorsOf: (content: ArrayBuffer) => { readonly channels?: number; readonly profile?: string };
  readonly imageOf: (file: Blob) => Promise<{ readonly channels?: number }>;
}

/** What the pages have in common, with a decoder that only hears how it is asked. */
function parts(asked: unknown[]): Parts {
  const createImageBitmap = (_: Blob, options: unknown) => {
    asked.push(options);
    return Promise.resolve({ width: 1, height: 1 });
  };
  const OffscreenCanvas = class {
    getContext = () => ({ drawImage: () => undefined, getImageData: () => undefined });
  };
  return runInNewContext(`${pageParts}; ({ colorsOf, imageOf })`, {
    Blob,
    createImageBitmap,
    OffscreenCanvas,
  }) as Parts;
}

const square = () => sharp({ create: { width: 9, height: 8, channels: 3, background: { r: 200, g: 80, b: 30 } } });
const blob = async (image: Sharp) => new Blob([new Uint8Array(await image.toBuffer())]);

test('a page knows the colors of a JPEG and of its profile, and decodes without a profile that is for others', async () => {
  const asked: { colorSpaceConversion: string }[] = [];
  const { colorsOf, imageOf } = parts(asked);
  const profiled = await square().withIccProfile('p3').jpeg({ progressive: true }).toBuffer();
  // The profile of colors in a picture of grays.
  const gray = await square().toColourspace('b-w').jpeg().toBuffer();
  const at = profiled.indexOf('ICC_PROFILE') - 4;
  const segment = profiled.subarray(at, at + 2 + profiled.readUInt16BE(at + 2));
  const misfit = new Blob([new Uint8Array(Buffer.concat([gray.subarray(0, 2), segment, gray.subarray(2)]))]);
  const cases: readonly [Blob, string, string][] = [
    [await blob(square().jpeg()), '3 none', 'default'],
    [new Blob([new Uint8Array(profiled)]), '3 RGB ', 'default'],
    [new Blob([new Uint8Array(gray)]), '1 none', 'default'],
    [misfit, '1 RGB ', 'none'],
    [await blob(square().toColourspace('cmyk').withIccProfile('cmyk').jpeg()), '4 CMYK', 'default'],
    [await blob(square().png()), 'none none', 'default'],
    [new Blob(['\u00ff']), 'none none', 'default'],
    [new Blob([]), 'none none', 'default'],
    [new Blob([new Uint8Array(profiled.subarray(0, at + 20))]), 'none none', 'default'],
  ];
  for (const [file, colors, conversion] of cases) {
    const { channels = 'none', profile = 'none' } = colorsOf(await file.arrayBuffer());
    assert.equal(`${channels} ${profile}`, colors);
    assert.equal((await imageOf(file)).channels ?? 'none', channels);
    assert.equal(asked.pop()?.colorSpaceConversion, conversion, colors);
  }
});
