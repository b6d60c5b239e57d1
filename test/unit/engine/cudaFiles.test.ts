import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cudaReason } from '../../../src/ml/engine/onnxruntime/cuda/cudaReason.ts';
import { cudaFilesFor, runtimeVersion } from '../../../src/ml/engine/onnxruntime/cuda/cudaFiles.ts';
import { speaksOfMemory } from '../../../src/ml/engine/outOfMemory.ts';
import { readCards } from '../../../src/ml/engine/onnxruntime/cuda/nvidiaDriver.ts';
import { engineVersion } from '../../../src/ml/engine/engineVersion.ts';

const platforms = [
  ['linux', 'x64'],
  ['win32', 'x64'],
] as const;

test('CUDA’s provider is of the version of ONNX Runtime that is installed', () => {
  assert.equal(runtimeVersion, engineVersion('onnx'));
});

test('each archive is pinned by size and sha256, and each library that is loaded is in one of them', () => {
  for (const [platform, architecture] of platforms) {
    const files = cudaFilesFor(platform, architecture);
    assert.ok(files);
    const names = files.archives.flatMap(({ members }) => members.map(({ to }) => to));
    assert.deepEqual(names, [...new Set(names)], 'all lie in one folder');
    for (const name of [files.runtime, ...files.first]) assert.ok(names.includes(name), name);
    for (const { file, url, bytes, sha256, members, licence } of files.archives) {
      assert.match(sha256, /^[0-9a-f]{64}$/u);
      assert.ok(url.endsWith(`/${file}`) && new URL(url).protocol === 'https:');
      assert.ok(bytes > 0 && members.every((member) => member.bytes > 0));
      assert.ok(licence.name && new URL(licence.url).protocol === 'https:');
    }
    const texts = names.filter((name) => name.endsWith('.txt'));
    assert.equal(texts.length, 4, 'the licences are installed beside the libraries');
  }
  assert.equal(cudaFilesFor('darwin', 'arm64'), undefined);
  assert.equal(cudaFilesFor('linux', 'arm64'), undefined);
});

test('cards of a driver that is new enough are named, without those that CUDA 13 does not support', () => {
  assert.deepEqual(readCards('NVIDIA H200, 580.95.05, 9.0\nTesla V100-SXM2-16GB, 580.95.05, 7.0\n'), {
    usable: true,
    cards: 'NVIDIA H200, driver 580.95.05',
  });
});

test('where CUDA cannot be used the reason says what to do', () => {
  const reasons: readonly (readonly [lines: string, reason: RegExp])[] = [
    [
      'NVIDIA GeForce RTX 4090, 535.183.01, 8.9\n',
      /driver is 535\.183\.01, and CUDA 13 needs .* 580 or newer; update it$/u,
    ],
    ['Tesla V100-SXM2-16GB, 580.95.05, 7.0\n', /7\.5 and newer, and Tesla V100-SXM2-16GB has 7\.0; choose webgpu$/u],
    ['No devices were found\n', /names no card; install/u],
    ['', /names no card; install/u],
  ];
  for (const [lines, reason] of reasons) {
    const found = readCards(lines);
    assert.ok(!found.usable);
    assert.match(found.reason, reason);
  }
});

test('what the provider says is told without its functions and files', () => {
  const place = '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 void onnxruntime::CudaCall(int)';
  assert.equal(
    cudaReason(
      `${place} CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=here ; expr=cudaSetDevice(0);`,
    ),
    'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
  );
  assert.equal(
    cudaReason(
      `${place} Failed to load library /home/x/libonnxruntime_providers_cuda.so with error: libcuda.so.1: cannot open shared object file`,
    ),
    'NVIDIA’s driver is incomplete here: it has no libcuda.so.1',
  );
  assert.equal(cudaReason('nothing feeds images'), 'nothing feeds images');
});

test('a lack of memory is known by what CUDA’s libraries and WebAssembly say', () => {
  const short = [
    'CUDA failure 2: out of memory',
    'CUBLAS_STATUS_ALLOC_FAILED',
    'INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED',
    'WebAssembly.Memory(): could not allocate memory',
  ];
  assert.deepEqual(short.filter(speaksOfMemory), short);
  assert.equal(speaksOfMemory('CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version'), false);
});
