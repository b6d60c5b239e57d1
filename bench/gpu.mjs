// What the graphics card of this machine does, beside torch: `node bench/gpu.mjs [--device NAME] [--software]`.
// Builds, compares a training step with the CPU's, then times training and prediction, and prints a table. torch takes
// part where the Python that PYTHON names has it with CUDA. --software takes a Vulkan device in software and tiny
// sizes instead, to see that all of this works; its times mean nothing.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const python = process.env.PYTHON ?? '/usr/bin/python3';
const { values } = parseArgs({
  options: { device: { type: 'string' }, software: { type: 'boolean', default: false } },
});
const devices = values.device ? [values.device] : values.software ? ['webgpu'] : ['cuda', 'webgpu', 'dml', 'coreml'];
/** Beyond this a device is not trusted, as in src/ml/engine/selfCheck.ts. */
const trusted = 1e-2;

const works = values.software
  ? [
      { title: 'ConvNet1, full training step, batch 2, 32 pixels', work: ['full', 'ConvNet1', 2, 1], size: 32 },
      { title: 'ConvNet1, head only, batch 2, 32 pixels', work: ['head', 'ConvNet1', 2, 1], size: 32 },
      { title: 'ConvNet1, five crops of an image, 32 pixels', work: ['five', 'ConvNet1', 5, 1], size: 32 },
    ]
  : [
      { title: 'ResNet-18, full training step, batch 64', work: ['full', 'resnet18', 64, 10], size: 224 },
      { title: 'DenseNet-169, full training step, batch 32', work: ['full', 'densenet169', 32, 10], size: 224 },
      { title: 'DenseNet-169, head only, batch 64', work: ['head', 'densenet169', 64, 10], size: 224 },
      { title: 'ResNet-18, five crops of 8 images', work: ['five', 'resnet18', 40, 10], size: 224 },
    ];

function run(command, args, env = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args.map(String), {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 600_000,
  });
  if (status === 0) return { output: stdout };
  const words = (error?.message ?? stderr ?? '').trim().split('\n');
  const reason = words.find((line) => /error/i.test(line)) ?? words.at(-1);
  return { reason: reason || `it ended with ${status}` };
}

function figuresOf({ output, reason }) {
  if (reason !== undefined) return { reason };
  return JSON.parse(output.trim().split('\n').at(-1)).figures;
}

const typescript = (file, args, env) =>
  run(process.execPath, ['--import', 'tsx', join(root, 'bench', file), ...args], env);
const ours = (args, env) => figuresOf(typescript('ours/deviceWork.ts', args, env));
const torch = (args) => figuresOf(run(python, [join(root, 'bench/peers/deviceWork.py'), ...args]));

function environment() {
  if (!values.software) return {};
  const { output, reason } = typescript('ours/softwareDevice.ts', []);
  if (reason !== undefined) throw new Error(`there is no device in software: ${reason}`);
  return JSON.parse(output);
}

/** The first device that trains as the CPU does, and why those before it do not. */
function findDevice(env) {
  const refused = [];
  for (const device of devices) {
    const { difference, lossDifference, reason } = ours(['check', 'resnet18', 8, 5, device, works[0].size], env);
    if (reason === undefined && difference < trusted && lossDifference < trusted) {
      return { device, difference, lossDifference, refused };
    }
    refused.push(`${device}: ${reason ?? `its gradients are ${difference} off, its losses ${lossDifference}`}`);
  }
  return { refused };
}

const built = run(process.execPath, ['esbuild.config.mjs']);
if (built.reason !== undefined) throw new Error(`the build failed: ${built.reason}`);
const env = environment();
const { device, difference, lossDifference, refused } = findDevice(env);
if (device === undefined) {
  if (values.device === undefined) {
    const tried = devices.join(', ');
    console.log(
      `No graphics card trains here (tried: ${tried}), so nothing is timed; \`fivecrop devices\` says what is missing.`,
    );
    process.exit(0);
  }
  console.error(`Not used: ${refused.join('; ')}`);
  process.exit(1);
}
for (const reason of refused) console.log(`Not used: ${reason}`);
console.log(
  `${device} trains as the CPU does: gradients off by ${difference.toExponential(1)}, losses by ${lossDifference.toExponential(1)}.`,
);

const probe = torch(['probe', '', 0, 0, '', 0, '']);
const peers = probe.cuda === 1 ? ['eager', 'bf16'] : [];
if (peers.length === 0)
  console.log('torch with CUDA was not found (PYTHON names another Python), so only ours is timed.');
const cell = ({ images, reason }) => (reason === undefined ? images.toPrecision(4) : `failed: ${reason}`);
const header = ['work, images/s', `ours on ${device}`, ...peers.map((mode) => `torch ${mode}`)];
console.log(`\n| ${header.join(' | ')} |\n|${header.map(() => ' --- |').join('')}`);
let failed = false;
for (const { title, work, size } of works) {
  const own = ours([...work, device, size], env);
  failed ||= own.reason !== undefined;
  const others = peers.map((mode) => torch([...work, 'cuda', size, mode]));
  console.log(`| ${[title, ...[own, ...others].map(cell)].join(' | ')} |`);
}
process.exit(failed ? 1 : 0);
