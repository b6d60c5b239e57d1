// Builds everything: `node esbuild.config.mjs [--watch] [--production] [--tests] [--into FOLDER]`.
// `--production` minifies, for the VSIX; `--tests` adds the suite that runs inside the host; `--into` is where the
// tree that is `dist` here is written instead.
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build, context } from 'esbuild';

const root = import.meta.dirname;
const { values: flags } = parseArgs({
  options: {
    watch: { type: 'boolean', default: false },
    production: { type: 'boolean', default: false },
    tests: { type: 'boolean', default: false },
    into: { type: 'string', default: 'dist' },
  },
});
const { watch, production } = flags;
const dist = resolve(root, flags.into);

const external = JSON.parse(readFileSync(join(root, 'scripts/external.json'), 'utf8'));
const native = [...external.packages, ...external.notShipped];
/** Gives CommonJS packages inside an ES module bundle their `require`. */
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

const common = {
  absWorkingDir: root,
  bundle: true,
  legalComments: 'none',
  logLevel: 'warning',
  minify: production,
  sourcemap: production ? false : 'linked',
};

const node = { ...common, platform: 'node', target: 'node20', keepNames: true };
const host = { ...node, format: 'cjs', external: ['vscode', ...native] };
const ml = { ...node, format: 'esm', external: native, mainFields: ['module', 'main'] };
const page = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
};

/** @returns {import('esbuild').BuildOptions[]} */
function builds() {
  const module = (entry, outfile, banner = requireBanner) => ({
    ...ml,
    entryPoints: [entry],
    outfile,
    banner: { js: banner },
  });
  return [
    { ...host, entryPoints: ['src/extension/main.ts'], outfile: join(dist, 'extension/main.cjs') },
    module('src/ml/cli/main.ts', join(dist, 'ml/fivecrop.mjs'), `#!/usr/bin/env node\n${requireBanner}`),
    module('src/ml/worker/main.ts', join(dist, 'ml/trainer.mjs')),
    module('src/ml/data/decodeWorker.ts', join(dist, 'ml/decodeWorker.mjs')),
    ...['training', 'prediction', 'evaluation'].map((name) => ({
      ...page,
      entryPoints: [`src/webview/${name}/main.ts`],
      outfile: join(dist, 'webview', `${name}.js`),
    })),
    ...(flags.tests ? hostTests() : []),
  ];
}

/** Each `test/extension/*.test.ts`, and the index that the extension host loads, as a file of its own. */
function hostTests() {
  const folder = join(root, 'test/extension');
  const entryPoints = readdirSync(folder)
    .filter((name) => name.endsWith('.test.ts') || name === 'index.ts')
    .map((name) => `test/extension/${name}`);
  return [
    {
      ...host,
      minify: false,
      entryPoints,
      external: [...host.external, 'mocha'],
      outdir: join(dist, 'test/extension'),
      outExtension: { '.js': '.cjs' },
    },
  ];
}

const wanted = builds().filter(({ entryPoints, outfile }) => {
  const exists = existsSync(join(root, entryPoints[0] ?? ''));
  if (!exists) console.log(`skipped ${relative(root, outfile)}: ${entryPoints[0]} does not exist yet`);
  return exists;
});

if (watch) {
  const contexts = await Promise.all(wanted.map((options) => context({ ...options, logLevel: 'info' })));
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  // esbuild has printed what is wrong, with the place; its stack adds nothing.
  await Promise.all(wanted.map((options) => build(options))).catch(() => process.exit(1));
  const command = join(dist, 'ml/fivecrop.mjs');
  if (existsSync(command)) chmodSync(command, 0o755);
}
