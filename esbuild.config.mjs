// Builds everything: `node esbuild.config.mjs [--watch] [--production] [--tests] [--into FOLDER]`.
// `--production` minifies and writes the licences and the bill of materials of what is bundled, for the VSIX; `--tests` adds the suite that runs inside the host; `--into` is where the
// tree that is `dist` here is written instead.
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build, context } from 'esbuild';
import { compileKernels } from './scripts/compileKernels.mjs';
import { copyJpegLibraries, jpegLibrarySources } from './scripts/jpegLibrary.mjs';
import { licencesOf } from './scripts/licences.mjs';
import { addToSbom } from './scripts/sbom.mjs';

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
const native = [...external.shipped, ...external.installedByUsers];
const pages = [
  'training',
  'prediction',
  'evaluation',
  'cleaning',
  'featureMap',
  'labelling',
  'dryRun',
  'sweep',
  'serving',
];

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
  metafile: true,
};

const node = { ...common, platform: 'node', target: 'node20', keepNames: true };
// zod asks whether there is a navigator, which the extension host takes for a mistake and logs.
const host = {
  ...node,
  define: { navigator: 'undefined' },
  // The host hands `vscode` to `require` alone.
  supported: { 'dynamic-import': false },
  format: 'cjs',
  mainFields: ['module', 'main'],
  external: ['vscode', ...native],
  outExtension: { '.js': '.cjs' },
};
/** What `main.ts` loads after the activation stays a file of its own. */
const ownBundle = {
  name: 'own-bundle',
  setup: ({ onResolve }) => {
    const filter = /^\.\/startExtension\.ts$/;
    onResolve({ filter }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: './startExtension.cjs', external: true } : null,
    );
  },
};
/**
 * Packages outside the bundle are required, as they are CommonJS or offer it: when one is imported, Node.js reads all of its
 * sources for the names that they export, which took each thread of `sharp` as long as decoding a hundred images.
 */
const requiredPackages = {
  name: 'required-packages',
  setup: ({ onResolve, onLoad }) => {
    const filter = new RegExp(`^(${native.join('|')})$`);
    onResolve({ filter }, ({ kind, path }) => (kind === 'import-statement' ? { path, namespace: 'required' } : null));
    onLoad({ filter, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};
/** One build for all processes: what they share, and what is only loaded on demand, become chunks beside them. */
const ml = {
  ...node,
  format: 'esm',
  plugins: [requiredPackages],
  external: native,
  mainFields: ['module', 'main'],
  banner: { js: requireBanner },
  splitting: true,
  outdir: join(dist, 'ml'),
  outExtension: { '.js': '.mjs' },
  // In the same folder, so that a path relative to import.meta.url means the same in a chunk.
  chunkNames: 'chunk-[hash]',
};
const page = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  loader: { '.svg': 'dataurl', '.ttf': 'dataurl' },
};

/** Every build; of the entry points, those that exist. */
function builds() {
  const all = [
    {
      ...host,
      plugins: [ownBundle],
      entryPoints: { main: 'src/extension/main.ts', startExtension: 'src/extension/startExtension.ts' },
      outdir: join(dist, 'extension'),
    },
    {
      ...ml,
      entryPoints: {
        fivecrop: 'src/ml/cli/main.ts',
        library: 'src/ml/library/main.ts',
        trainer: 'src/ml/trainer/main.ts',
        dryRun: 'src/ml/trainer/dryRun.ts',
        service: 'src/ml/service/main.ts',
        remote: 'src/ml/submit/remote/main.ts',
        decodeWorker: 'src/ml/data/decodeWorker.ts',
        magickWorker: 'src/ml/data/magickWorker.ts',
        mapWorker: 'src/ml/features/mapWorker.ts',
        probeDevice: 'src/ml/engine/probeProcess.ts',
        checkLibrary: 'src/ml/engine/onnxruntime/capi/checkProcess.ts',
        modelTrial: 'src/ml/inference/modelTrialProcess.ts',
      },
    },
    {
      ...page,
      entryPoints: Object.fromEntries(pages.map((name) => [name, `src/webview/${name}/main.ts`])),
      outdir: join(dist, 'webview'),
    },
    ...(flags.tests ? [hostTests()] : []),
  ];
  return all
    .map((options) => ({ ...options, entryPoints: existing(options.entryPoints) }))
    .filter(({ entryPoints }) => Object.keys(entryPoints).length > 0);
}

function existing(entryPoints) {
  return Object.fromEntries(
    Object.entries(entryPoints).filter(([, path]) => {
      const exists = existsSync(join(root, path));
      if (!exists) console.log(`skipped ${path}, which does not exist yet`);
      return exists;
    }),
  );
}

/** Each `test/extension/*.test.ts`, and the index that the extension host loads, as a file of its own. */
function hostTests() {
  const folder = join(root, 'test/extension');
  const names = readdirSync(folder).filter((name) => name.endsWith('.test.ts') || name === 'index.ts');
  return {
    ...host,
    minify: false,
    entryPoints: Object.fromEntries(names.map((name) => [name.replace(/\.ts$/, ''), `test/extension/${name}`])),
    external: [...host.external, 'mocha'],
    outdir: join(dist, 'test/extension'),
  };
}

/** What an earlier build wrote and this one did not: chunks bear a hash of their content, so they would pile up. */
function removeStaleChunks(outputs) {
  const folder = join(dist, 'ml');
  if (!existsSync(folder)) return;
  const written = new Set(outputs.map((path) => resolve(root, path)));
  for (const name of readdirSync(folder)) {
    if (name.startsWith('chunk-') && !written.has(join(folder, name))) rmSync(join(folder, name));
  }
}

compileKernels(join(dist, 'ml'));
copyJpegLibraries(join(dist, 'ml'));
if (watch) {
  const contexts = await Promise.all(builds().map((options) => context({ ...options, logLevel: 'info' })));
  await Promise.all(contexts.map((each) => each.watch()));
} else {
  // esbuild has printed what is wrong, with the place; its stack adds nothing.
  const results = await Promise.all(builds().map((options) => build(options))).catch(() => process.exit(1));
  await writeSchemas();
  if (production) {
    const bundled = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
    writeLicences([...bundled, ...jpegLibrarySources()]);
  }
  removeStaleChunks(results.flatMap(({ metafile }) => Object.keys(metafile.outputs)));
  const command = join(dist, 'ml/fivecrop.mjs');
  if (existsSync(command)) makeExecutable(command);
}

/** The JSON schemas of `*.fivecrop.json`, those of spaces too, and `fivecrop.tests.json`, by which the editor completes and explains them. */
async function writeSchemas() {
  const contents = `
    import { z } from 'zod';
    import { networkNames, namedNetwork } from './src/ml/networks/registry.ts';
    import { accuracyTestsSchema } from './src/protocol/accuracyTests.ts';
    import { backboneNames } from './src/protocol/backboneNames.ts';
    import { sweepOwnSchema } from './src/protocol/sweep.ts';
    import { givenConfigSchema, methods } from './src/protocol/trainingConfig.ts';
    import { spaceSchema } from './scripts/spaceSchema.ts';
    const describe = (schema, more) =>
      z.toJSONSchema(schema, {
        io: 'input',
        target: 'draft-7',
        override: ({ jsonSchema }) => {
          const { description } = jsonSchema;
          if (description !== undefined) jsonSchema.markdownDescription = description;
          more(jsonSchema);
        },
      });
    const { $schema, ...described } = describe(givenConfigSchema, ({ properties }) => {
      if (properties?.name && properties.weights) properties.name.examples = [...networkNames];
      if (properties?.file && properties.featuresOutput) properties.file.examples = [...backboneNames];
    });
    const own = describe(sweepOwnSchema, () => undefined);
    const only = (network, allowed, errorMessage) => ({
      if: { required: ['network'], properties: { network: { required: Object.keys(network), properties: network } } },
      then: { properties: { method: { enum: allowed, errorMessage } } },
    });
    const others = networkNames.filter((name) => !namedNetwork(name).isTransformer);
    const config = {
      ...described,
      allOf: [
        only({ kind: { const: 'backbone' } }, ['head'], 'An ONNX file is frozen: only a head can be trained on it.'),
        only(
          { kind: { const: 'architecture' }, name: { enum: others } },
          methods.filter((method) => method !== 'lora'),
          'The method lora is for transformers.',
        ),
      ],
    };
    const settings = {
      $schema,
      type: 'object',
      // What only a space says makes a file one.
      if: { anyOf: Object.keys(own.properties).map((name) => ({ required: [name] })) },
      then: spaceSchema(described, own),
      else: config,
    };
    const snippet = { name: '$1', data: '$2', accuracy: 0.9 };
    const expectations = ['accuracy', 'top5', 'macroF1', 'recall', 'slices', 'baseline'];
    const tests = describe(accuracyTestsSchema, (schema) => {
      if (!schema.properties?.macroF1) return;
      schema.defaultSnippets = [{ label: 'A test of accuracy', body: snippet }];
      schema.anyOf = expectations.map((one) => ({ required: [one] }));
      schema.not = { required: ['checkpoint', 'runs'] };
    });
    tests.defaultSnippets = [{ label: 'Tests of accuracy', body: { version: 1, tests: [snippet] } }];
    export const schemas = { 'fivecrop.schema.json': settings, 'fivecrop.tests.schema.json': tests };`;
  const stdin = { contents, resolveDir: root, loader: 'ts' };
  const { outputFiles } = await build({
    ...node,
    format: 'esm',
    stdin,
    write: false,
    metafile: false,
    sourcemap: false,
  });
  const { schemas } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
  );
  for (const [name, schema] of Object.entries(schemas)) {
    writeFileSync(join(dist, name), `${JSON.stringify(schema, null, 2)}\n`);
  }
}

/** A bundle holds the code of packages without their licences, and nobody sees which they are. */
function writeLicences(files) {
  const heading = 'The files beside this one hold code of these packages.';
  writeFileSync(join(dist, 'licences.txt'), licencesOf(root, files, heading));
  const sbom = join(dist, 'sbom.cdx.json');
  rmSync(sbom, { force: true });
  addToSbom(sbom, root, files);
}

function makeExecutable(path) {
  writeFileSync(path, `#!/usr/bin/env node\n${readFileSync(path, 'utf8')}`);
  chmodSync(path, 0o755);
}
