import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { createRandom } from '../../src/ml/graph/random.ts';
import { evaluationSchema, type Evaluation } from '../../src/protocol/evaluation.ts';
import { runSplitSchema, type RunSplit } from '../../src/protocol/runSplit.ts';
import { fivecrop } from '../integration/cli/runCommand.ts';

const network = '--arch ConvNet1 --method scratch --hidden none --image-size 32 --resize 36 --augment none'.split(' ');
const quickly = [...network, '--epochs', '1', '--batch-size', '8', '--device', 'cpu'];
const shares = ['--seed', '7', '--valid-share', '0.3', '--test-share', '0.3'];

let folder = '';
const data = () => join(folder, 'data');
const runs = () => join(folder, 'runs');

/** Noisy images of one colour a class, each with pixels of its own. */
async function draw(root: string, places: readonly string[], count: number, tag = ''): Promise<void> {
  for (const [kind, place] of places.entries()) {
    await mkdir(join(root, place), { recursive: true });
    for (let at = 0; at < count; at++) {
      const random = createRandom('splits', place, tag, at);
      const pixels = Uint8Array.from({ length: 40 * 40 * 3 }, (_, index) =>
        random.integer(index % 3 === kind ? 255 : 90),
      );
      const image = sharp(pixels, { raw: { width: 40, height: 40, channels: 3 } });
      await image.png().toFile(join(root, place, `${tag}${at}.png`));
    }
  }
}

async function tested(
  on: string,
  checkpoint: string,
  ...flags: readonly string[]
): Promise<Evaluation & { said: string }> {
  const { code, stdout, stderr } = await fivecrop([
    'test',
    on,
    '--checkpoint',
    checkpoint,
    '--device',
    'cpu',
    '--json',
    ...flags,
  ]);
  assert.equal(code, 0, stderr);
  return { ...evaluationSchema.parse(JSON.parse(stdout)), said: stderr };
}

async function splitOf(run: string): Promise<RunSplit> {
  return runSplitSchema.parse(JSON.parse(await readFile(join(runs(), run, 'split.json'), 'utf8')));
}

/** Paths below the data folder of the images that an evaluation counted. */
function imagesOf({ results, data: root }: Evaluation): string[] {
  return results.map(({ image }) => image.slice(root.length + 1)).sort();
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fivecrop-splits-'));
  await draw(data(), ['cat', 'dog'], 12);
  const { code, stderr } = await fivecrop(['train', data(), ...quickly, ...shares, '--out', runs(), '--name', 'r']);
  assert.equal(code, 0, stderr);
});

after(() => rm(folder, { recursive: true, force: true }));

test('a run tests, and goes on, with the split that it drew, whatever comes and goes; its copy elsewhere knows it too', async () => {
  const { images } = await splitOf('r');
  const copy = join(folder, 'copy.safetensors');
  await cp(join(runs(), 'r', 'checkpoints', 'best.safetensors'), copy);
  assert.deepEqual(imagesOf(await tested(data(), copy)), images.test.toSorted());

  const [gone = ''] = images.train;
  await draw(data(), ['cat', 'dog'], 1, 'new');
  await rename(join(data(), gone), join(folder, 'gone.png'));
  const after = await tested(data(), join(runs(), 'r'));
  assert.deepEqual(imagesOf(after), images.test.toSorted());
  assert.match(after.said, /2 images came after the run began/);
  const resumed = await fivecrop(['train', '--resume', join(runs(), 'r'), '--epochs', '2', '--json']);
  assert.equal(resumed.code, 0, resumed.stderr);
  assert.match(resumed.stdout, /2 images came after the run began and are left out/);
  assert.match(resumed.stdout, /Images of the run are gone and cannot be used: 1 of train/);
  const start = resumed.stdout.split('\n').find((line) => line.includes('"event":"start"')) ?? '';
  const { trainImages, validImages } = JSON.parse(start) as { trainImages: number; validImages: number };
  assert.deepEqual([trainImages, validImages], [images.train.length - 1, images.valid.length]);
  assert.deepEqual((await splitOf('r')).images, images);
  await rename(join(folder, 'gone.png'), join(data(), gone));
  for (const name of ['cat', 'dog']) await rm(join(data(), name, 'new0.png'));
});

test('a class folder that came or went stops neither a test nor a resume of the run, and a damaged split.json is said', async () => {
  const [changed, run] = [join(folder, 'changed'), join(runs(), 'changed')];
  await draw(changed, ['cat', 'dog', 'owl'], 8);
  const { code, stderr } = await fivecrop(['train', changed, ...quickly, ...shares, '--out', runs(), '--name', 'changed']); // prettier-ignore
  assert.equal(code, 0, stderr);
  const { images } = await splitOf('changed');
  await draw(changed, ['fox'], 3);
  await rm(join(changed, 'owl'), { recursive: true });
  await writeFile(join(run, 'split.json'), '{"version": 1, "data": "');
  const own = images.test.filter((path) => !path.startsWith('owl/')).sort();
  const after = await tested(changed, run);
  assert.deepEqual(imagesOf(after), own);
  for (const said of [/split\.json cannot be used.* The split that the checkpoint itself keeps is taken/, /3 images are in folders that are not classes of the run \(fox\)/, /of the run’s test split are gone/]) assert.match(after.said, said); // prettier-ignore
  const resumed = await fivecrop(['train', '--resume', run, '--epochs', '2', '--json']);
  assert.equal(resumed.code, 0, resumed.stderr);
  for (const said of [/not classes of the run \(fox\)/, /No train images are left of 1 class \(owl\)/, /"classes":3/, /split\.json cannot be used/]) assert.match(resumed.stdout, said); // prettier-ignore
  assert.doesNotMatch(resumed.stdout, /"level":"error"/);
  assert.deepEqual(imagesOf(await tested(changed, run)), own);
});

test('a folder of its own is tested whole, and what was trained on is left out of it', async () => {
  const other = join(folder, 'hold-out');
  await draw(other, ['cat', 'dog'], 5, 'h');
  const all = await tested(other, join(runs(), 'r'));
  assert.deepEqual([all.images, all.selection?.chosenBy], [10, 'all']);
  const { images } = await splitOf('r');
  await cp(join(data(), images.train[0] ?? ''), join(other, 'cat', 'seen.png'));
  const some = await tested(other, join(runs(), 'r'));
  assert.deepEqual([some.images, some.selection?.alreadyUsed], [10, 1]);
});

test('check ends with 1 where train fails, in the same words, and with 0 where it trains', async () => {
  await draw(join(folder, 'few'), ['cat', 'dog'], 1);
  await draw(join(folder, 'odd'), ['train/cat', 'train/dog', 'valid/cat', 'valid/owl'], 2);
  await draw(join(folder, 'loose'), ['train', 'test'], 2);
  await draw(join(folder, 'unclear'), ['bus', 'car', 'train/2023', 'train/2024'], 2);
  const cases: [name: string, ...flags: string[]][] = [
    ['data'],
    ['data', '--valid-share', '0'],
    ['data', '--valid-share', '0.6', '--test-share', '0.6'],
    ['few'],
    ['odd'],
    ['loose'],
    ['unclear'],
    ['unclear', '--layout', 'classes'],
  ];
  const codes: (number | null)[] = [];
  for (const [name, ...flags] of cases) {
    const checked = await fivecrop(['check', join(folder, name), ...flags]);
    const trained = await fivecrop(['train', join(folder, name), ...quickly, ...flags, '--out', runs(), '--name', 'c']);
    assert.equal(checked.code, trained.code, `${name} ${flags.join(' ')}: ${checked.stderr}${trained.stderr}`);
    codes.push(checked.code);
    if (checked.code === 0) continue;
    const why = /fivecrop: (.*)/.exec(trained.stderr)?.[1] ?? 'nothing was said';
    assert.ok(`${checked.stdout}${checked.stderr}`.includes(why), why);
  }
  assert.deepEqual(codes, [0, 1, 2, 1, 1, 1, 1, 0]);
});
