import process from 'node:process';
import type { ProviderOptions } from '../capi/providerOptions.ts';

/**
 * Options of ONNX Runtime's CUDA provider, by its names (`cuda_execution_provider_info.cc`). Products and convolutions use
 * TF32, as torch's convolutions do by default. Measured on no card yet: `cudnn_conv_algo_search` and `prefer_nhwc`, for which
 * `bench/gpu.mjs` tries others.
 */
const standard: ProviderOptions = {
  use_tf32: '1',
  cudnn_conv_algo_search: 'HEURISTIC',
  // A training's buffers have the same sizes in each step: powers of two would waste up to half of the card's memory.
  arena_extend_strategy: 'kSameAsRequested',
};

/** The options, changed by `FIVECROP_CUDA_OPTIONS` (`prefer_nhwc=1,use_tf32=0`), which is for measuring. */
export function cudaOptions(environment: NodeJS.ProcessEnv = process.env): ProviderOptions {
  const changes = (environment['FIVECROP_CUDA_OPTIONS'] ?? '').split(',').filter((change) => change.includes('='));
  return {
    ...standard,
    ...Object.fromEntries(changes.map((change) => change.trim().split('=', 2) as [string, string])),
  };
}
