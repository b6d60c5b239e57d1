// Shows the product on a fresh clone: `npm run demo` draws a data set, trains a network on it from scratch, tests it and
// classifies one image over five crops. Every command is printed before it runs, to be tried by hand.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import process from 'node:process';

const root = join(import.meta.dirname, '..');
const command = join(root, 'dist', 'ml', 'fivecrop.mjs');
const shown = (path) => relative(process.cwd(), path) || '.';
const data = shown(join(root, 'sample'));
const out = shown(join(root, 'runs'));

if (!existsSync(command)) {
  console.error('The command is not built yet; run: npm run build');
  process.exit(1);
}

/** Runs `fivecrop` with these arguments; the first failure ends the demonstration with its exit code. */
function fivecrop(title, ...parts) {
  console.log(`\n# ${title}\n$ fivecrop ${parts.join(' ')}\n`);
  const { status, signal } = spawnSync(process.execPath, [command, ...parts], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? (signal ? 130 : 1));
}

/** The newest run's folder whose name begins with `name`: a name that is taken gets a counter. */
function newestRun(name) {
  const counter = (folder) => Number(/-(\d+)$/.exec(folder)?.[1] ?? 1);
  const runs = readdirSync(out).filter((folder) => folder === name || /^demo-\d+$/.test(folder));
  return join(out, runs.sort((a, b) => counter(a) - counter(b)).at(-1) ?? name);
}

const settings = join(data, 'sample.fivecrop.json');
if (existsSync(settings)) console.log(`${data} is there already and is used as it is.`);
else fivecrop('Draw a data set: five kinds of flowers, 60 images each', 'sample', data);

const place = ['--device', 'cpu', '--out', out, '--name', 'demo'];
fivecrop('Train a network from random weights', 'train', '--config', settings, ...place);

const run = newestRun('demo');
fivecrop('Test the best checkpoint on images that it has not seen', 'test', data, '--checkpoint', run);

const folder = join(data, 'test');
const kind = readdirSync(folder).sort()[0] ?? '';
const image = join(folder, kind, readdirSync(join(folder, kind)).sort()[0] ?? '');
fivecrop('Classify one image over five crops', 'predict', image, '--checkpoint', run, '--top-k', '3');
fivecrop('List the runs', 'runs', out);
