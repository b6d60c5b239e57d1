import { Ajv } from 'ajv';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { OptionValues } from '../../../src/ml/cli/configFlags.ts';
import { kubernetesJob } from '../../../src/ml/cli/jobCommand.ts';
import { containerfile } from '../../../src/ml/kubernetes/containerfile.ts';
import { jobNameOf } from '../../../src/ml/kubernetes/indexedJob.ts';

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/kubernetes_job.json'), 'utf8'),
) as object;
const ajv = new Ajv({ strict: false }).addSchema(schema, 'kubernetes');

interface Objects {
  readonly map: { readonly data: Readonly<Record<string, string>> };
  readonly job: {
    readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
    readonly spec: {
      readonly suspend?: boolean;
      readonly completions: number;
      readonly parallelism: number;
      readonly template: {
        readonly spec: { readonly containers: readonly { readonly command: string[]; readonly resources: object }[] };
      };
    };
  };
}

const settings = {
  ...{ data: 'flowers', network: { kind: 'architecture', name: 'resnet18', weights: 'weights/own.pth' } },
  ...{ method: 'full', epochs: 3, seed: 7 },
};

async function printed(t: TestContext, content: object, flags: OptionValues = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fivecrop-job-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'my flowers.fivecrop.json');
  await writeFile(file, JSON.stringify(content));
  return kubernetesJob(file, { image: 'fivecrop:1', pvc: 'images', cpus: 4, memory: 8, gpus: 0, ...flags });
}

/** The objects that are printed, each held against the schema of its kind. */
async function objects(t: TestContext, content: object, flags: OptionValues = {}): Promise<Objects> {
  const documents = parseAllDocuments(await printed(t, content, flags));
  const [map, job] = documents.map((document) => {
    assert.deepEqual(document.errors, []);
    const object = document.toJS() as { readonly kind: string };
    const isValid = ajv.validate(`kubernetes#/$defs/${object.kind}`, object);
    assert.ok(isValid, ajv.errorsText());
    return object;
  });
  return { map, job } as unknown as Objects;
}

test('the schema refuses what is no job', () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'x' } };
  const template = { spec: { containers: [{ name: 'a' }] } };
  assert.ok(ajv.validate('kubernetes#/$defs/Job', { ...job, spec: { template } }));
  assert.ok(!ajv.validate('kubernetes#/$defs/Job', { ...job, spec: { template, completion: 3 } }));
  assert.ok(!ajv.validate('kubernetes#/$defs/Job', { ...job, spec: { template, completions: 'many' } }));
  assert.ok(!ajv.validate('kubernetes#/$defs/Job', { ...job, spec: {} }));
});

test('a settings file becomes a job of one run, its paths in the volume', async (t) => {
  const { map, job } = await objects(t, settings);
  assert.deepEqual(Object.keys(map.data), ['0.fivecrop.json']);
  assert.deepEqual(JSON.parse(map.data['0.fivecrop.json'] ?? ''), {
    ...settings,
    data: '/volume/flowers',
    network: { ...settings.network, weights: '/volume/weights/own.pth' },
  });
  assert.match(job.metadata.name, /^my-flowers-[0-9a-f]{6}$/u);
  assert.deepEqual([job.spec.completions, job.spec.parallelism], [1, 1]);
  assert.match(job.spec.template.spec.containers[0]?.command[2] ?? '', /^run="\/volume\/runs\/my flowers"\n/u);
});

test('each seed is an index, as many at a time as asked for', async (t) => {
  const { map, job } = await objects(t, settings, { seeds: 3, parallel: 2, kueue: 'team' });
  const seeds = Object.values(map.data).map((text) => (JSON.parse(text) as { seed: number }).seed);
  assert.deepEqual(seeds, [7, 8, 9]);
  assert.deepEqual([job.spec.completions, job.spec.parallelism, job.spec.suspend], [3, 2, true]);
  assert.equal(job.metadata.labels['kueue.x-k8s.io/queue-name'], 'team');
  assert.match(job.spec.template.spec.containers[0]?.command[2] ?? '', /my flowers-\$JOB_COMPLETION_INDEX"\n/u);
});

test('each trial of a sweep is an index', async (t) => {
  const { map, job } = await objects(t, { ...settings, epochs: [2, 3], batchSize: [8, 16], sampler: 'grid' });
  const drawn = Object.values(map.data).map((text) => JSON.parse(text) as { epochs: number; batchSize: number });
  assert.deepEqual(
    drawn.map(({ epochs, batchSize }) => [epochs, batchSize]),
    [
      [2, 8],
      [2, 16],
      [3, 8],
      [3, 16],
    ],
  );
  assert.equal(job.spec.completions, 4);
});

test('a pod with a card asks for it, and its run trains on it', async (t) => {
  const { map, job } = await objects(t, settings, { gpus: 1, memory: 16 });
  assert.equal((JSON.parse(map.data['0.fivecrop.json'] ?? '') as { device: string }).device, 'cuda');
  const resources = { cpu: '4', memory: '16Gi', 'nvidia.com/gpu': 1 };
  assert.deepEqual(job.spec.template.spec.containers[0]?.resources, { requests: resources, limits: resources });
});

test('what cannot run in a pod is refused in one sentence', async (t) => {
  const choices = { ...settings, epochs: [2, 3], trials: 2 };
  for (const [content, words, flags] of [
    [{ ...settings, data: '/home/me/flowers' }, /\/home\/me\/flowers is not in the volume/u],
    [{ ...settings, data: '../flowers' }, /\/flowers is not in the volume/u],
    [{ ...settings, data: 'D:\\flowers' }, /is not in the volume/u],
    [{ ...settings, epochs: 'many' }, /epochs: expected a whole number/u],
    [{ ...choices, halving: {} }, /leave out "halving"/u],
    [{ ...choices, sampler: { optuna: 'TPESampler' } }, /use the sampler random or sobol/u],
    [choices, /leave out --seeds/u, { seeds: 2 }],
    [{ ...settings, device: 'cpu' }, /trains on an NVIDIA card/u, { gpus: 1 }],
    [settings, /--pvc is empty/u, { pvc: ' ' }],
    [settings, /characters that a shell obeys/u, { name: 'a$(b)' }],
  ] as readonly (readonly [object, RegExp, OptionValues?])[])
    await assert.rejects(printed(t, content, flags), words);
});

test('names become those of objects', () => {
  for (const [name, expected] of [
    ['flowers-2', /^flowers-2$/u],
    ['My flowers_2.1', /^my-flowers-2-1-[0-9a-f]{6}$/u],
    ['--x--', /^x-[0-9a-f]{6}$/u],
    ['101', /^run-101-[0-9a-f]{6}$/u],
    ['Блумы', /^run-[0-9a-f]{6}$/u],
    ['x'.repeat(100), /^x{39}-[0-9a-f]{6}$/u],
  ] as const)
    assert.match(jobNameOf(name), expected);
});

test('names that would be the same become different ones', () => {
  const names = ['a-b', 'A b', 'a b', 'a_b', 'A-B', 'a--b', 'x'.repeat(46), 'x'.repeat(47), 'x'.repeat(48)];
  assert.equal(new Set(names.map(jobNameOf)).size, names.length);
});

test('the image is built from the package of this version, with a label of its device', () => {
  assert.match(
    containerfile('1.2.3', false),
    /^COPY fivecrop-1\.2\.3\.tgz \/tmp\/\n(?:.*\n)*LABEL fivecrop\.device=cpu$/mu,
  );
  assert.match(containerfile('1.2.3', true), /^LABEL fivecrop\.device=cuda$/mu);
});

test('words that YAML 1.1 takes for something else stay words', async (t) => {
  const yaml = await printed(t, settings, { name: 'no', pvc: 'on', kueue: 'y', image: '0b1' });
  for (const line of ['name: "no"', 'claimName: "on"', 'kueue.x-k8s.io/queue-name: "y"', 'image: "0b1"'])
    assert.ok(yaml.includes(line), line);
  const [, job] = parseAllDocuments(yaml, { version: '1.1' }).map((document) => document.toJS() as Objects['job']);
  assert.equal(job?.metadata.name, 'no');
});
