import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { noiseImage, temporaryFolder, writeFiles } from '../../unit/data/temporaryImages.ts';
import { writeRandomCheckpoint } from '../../unit/inference/checkpointFixture.ts';
import { fivecrop } from './runCommand.ts';

test('assert tests each checkpoint, says what is not as expected, and exits with 1 then', async (t) => {
  const folder = await temporaryFolder(t);
  await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  for (const [index, name] of ['1', '10', '100'].entries()) {
    await writeFiles(folder, [`data/test/${name}/${index}.png`], await noiseImage(index, 50, 40));
  }
  await writeFile(join(folder, 'about.csv'), 'image,sky\ntest/1/0.png,grey\n');
  const checkpoint = 'best.safetensors';
  const about = { checkpoint, data: 'data' };
  const tests = [
    { ...about, name: 'easy', accuracy: 0, recall: { '10': 0 }, baseline: { checkpoint } },
    {
      ...about,
      name: 'hard <1>',
      top5: 1,
      macroF1: 1,
      slices: [
        { by: 'path:100/', accuracy: 0 },
        { by: 'about.csv:sky', accuracy: 0 },
      ],
    },
    { name: 'no run', data: 'data', accuracy: 0.5 },
  ];
  const file = join(folder, 'fivecrop.tests.json');
  await writeFile(file, JSON.stringify({ version: 1, tests }));
  const junit = join(folder, 'results.xml');
  const computing = ['--engine', 'onnx', '--device', 'cpu'];
  const failed = await fivecrop(['assert', file, '--junit', junit, ...computing]);
  assert.equal(failed.code, 1, failed.stderr);
  const lines = failed.stdout.trim().split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('easy')).map((line) => line.split(';')[0]),
    [
      'easy: as expected: accuracy at least 0',
      'easy: as expected: recall of 10 at least 0',
      `easy: as expected: not worse than ${join(folder, checkpoint)} (p at least 0.05)`,
    ],
  );
  assert.ok(lines.includes('hard <1>: as expected: top-5 accuracy at least 1; found 1.0000'));
  assert.match(failed.stdout, /^hard <1>: as expected: accuracy of about\.csv:sky, grey at least 0;/mu);
  assert.match(failed.stdout, /^hard <1>: FAILED: mean F1 at least 1; found 0\.\d{4}$/mu);
  assert.match(failed.stdout, /^no run: could not be tested: There is no finished run in .*runs: name a checkpoint/mu);
  const xml = await readFile(junit, 'utf8');
  assert.match(xml, /tests="3" failures="1" errors="1"/u);
  assert.match(xml, /name="hard &lt;1&gt;"[^>]*><failure message="Expected mean F1 at least 1; found 0\.\d{4}\.">/u);

  await writeFile(file, JSON.stringify({ version: 1, tests: tests.slice(0, 1) }));
  const { code, stdout } = await fivecrop(['assert', file, '--json', ...computing]);
  assert.equal(code, 0);
  const { name, expectations } = JSON.parse(stdout) as { name: string; expectations: { isMet: boolean }[] };
  assert.deepEqual([name, expectations.map(({ isMet }) => isMet)], ['easy', [true, true, true]]);
});
