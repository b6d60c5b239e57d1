import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { slicerOf } from '../../../src/ml/inference/slicer.ts';
import type { Evaluation } from '../../../src/protocol/evaluation.ts';

const images = ['cat/1.jpg', 'dog/1.jpg', 'dog/2.jpg', 'dog/3.jpg'];
const results = images.map((image) => ({
  image: `/d/${image}`,
  ...{ actual: 0, predicted: 0, probability: 1, actualProbability: 1 },
}));
const evaluation = { data: '/d', results } as unknown as Evaluation;

describe('slices by a column of a CSV file', () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fivecrop-slices-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const sliced = async (table: string) => {
    const file = join(folder, 'table.csv');
    await writeFile(file, table);
    const said: string[] = [];
    const slicer = await slicerOf(`${file}:camera`, (line) => said.push(line));
    const slices = slicer(evaluation).map(({ name, results: own }) => [name, own.map(({ image }) => image.slice(3))]);
    return { slices: Object.fromEntries(slices) as Record<string, string[]>, said };
  };

  it('take a file’s name alone only where one image has it', async () => {
    const { slices, said } = await sliced('image,camera\n1.jpg,old\ndog/2.jpg,old\n3.jpg,new\n');
    assert.deepEqual(slices, { old: ['dog/2.jpg'], new: ['dog/3.jpg'] });
    assert.match(said[0] ?? '', /^2 images of 4 without camera in /);
    assert.match(said[1] ?? '', /^1 row of .* without a tested image: 1\.jpg\.$/);
  });

  it('leave out images whose cell is empty, and say how many', async () => {
    const { slices, said } = await sliced('image,camera\ncat/1.jpg,old\ndog/1.jpg,\ndog/2.jpg,new\n/d/dog/3.jpg,new\n');
    assert.deepEqual(slices, { new: ['dog/2.jpg', 'dog/3.jpg'], old: ['cat/1.jpg'] });
    assert.match(said.join(), /^1 image of 4 without camera in /);
  });

  it('refuse a file that says two things of an image', async () => {
    await assert.rejects(sliced('image,camera\ncat/1.jpg,old\ncat/1.jpg,new\n'), /has two values for cat\/1\.jpg/);
  });
});
