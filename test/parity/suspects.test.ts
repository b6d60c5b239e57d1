import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { createRandom } from '../../src/ml/graph/random.ts';
import { suspectSchema } from '../../src/protocol/suspect.ts';

const root = join(import.meta.dirname, '../..');
const shared = join(root, '../shared');
const options = {
  skip: existsSync(join(shared, 'data')) ? false : '../shared is absent: no labels are exchanged in it',
};
const seed = Number(process.env['FIVECROP_SEED'] ?? randomInt(2 ** 31));
console.log(`seed ${seed}`);

/** Links 12 classes of flowers into a new folder, one label in ten exchanged at random; returns which are. */
async function withExchangedLabels(folder: string): Promise<Set<string>> {
  const flowers = join(shared, 'data/flowers/train');
  const random = createRandom(seed, 'exchange');
  const all = (await readdir(flowers)).sort();
  const classes = Array.from({ length: 12 }, () => all.splice(random.integer(all.length), 1)[0] ?? '');
  const exchanged = new Set<string>();
  for (const name of classes) await mkdir(join(folder, name));
  for (const [place, name] of classes.entries()) {
    for (const file of (await readdir(join(flowers, name))).sort().slice(0, 40)) {
      const isExchanged = random.integer(10) === 0;
      const other = classes[(place + 1 + random.integer(classes.length - 1)) % classes.length] ?? '';
      const target = join(folder, isExchanged ? other : name, file);
      await symlink(join(flowers, name, file), target);
      if (isExchanged) exchanged.add(target);
    }
  }
  return exchanged;
}

test(
  'of labels that were exchanged at random at least seven in ten are among as many suspects, and kept features give the same',
  options,
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fivecrop-suspects-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const data = join(folder, 'data');
    await mkdir(data);
    const exchanged = await withExchangedLabels(data);
    const backbone = join(shared, 'data/backbones/mobilenet_v2_1.0_224.onnx');
    const run = () =>
      promisify(execFile)(
        process.execPath,
        [join(root, 'dist/ml/fivecrop.mjs'), 'suspects', data, '--backbone', backbone, '--json', '--device', 'cpu'],
        {
          env: { ...process.env, FIVECROP_CACHE: join(folder, 'cache') },
          maxBuffer: 2 ** 26,
        },
      );
    const { stdout } = await run();
    const suspects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => suspectSchema.parse(JSON.parse(line)));
    const labels = suspects.filter(({ kind }) => kind === 'label').slice(0, exchanged.size);
    const found = labels.filter(({ image }) => exchanged.has(image));
    assert.ok(found.length >= 0.7 * exchanged.size, `${found.length} of ${exchanged.size}`);
    const again = await run();
    assert.equal(again.stdout, stdout, 'kept features give the same');
  },
);
