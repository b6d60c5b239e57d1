import type { ModelProfile } from '../../../protocol/runProfile.ts';
import type { KernelTime, SessionProfile } from '../../engine/engine.ts';
import { parsePlaceName } from '../../graph/nodePlaces.ts';

/** Single kernels that a profile names. */
const namedKernels = 50;

/** What an engine saw of one model, added up by phase, operator, kernel and layer. */
export function modelProfile(part: ModelProfile['part'], seen: SessionProfile): ModelProfile {
  const kernels = seen.kernels.map((kernel) => ({ ...kernel, place: placeOf(kernel) }));
  const seconds = seen.runs.reduce((sum, run) => sum + run.seconds, 0) / Math.max(1, seen.runs.length);
  const kernelSeconds = kernels.reduce((sum, kernel) => sum + kernel.seconds, 0);
  const phases = { forward: 0, backward: 0, update: 0 };
  const providers: Record<string, number> = {};
  const layers = new Map<string, ModelProfile['layers'][number]>();
  for (const { place, provider, seconds: time } of kernels) {
    const { layer, phase } = place;
    const entry = layers.get(layer) ?? { name: layer, forward: 0, backward: 0, update: 0 };
    entry[phase] += time;
    layers.set(layer, entry);
    phases[phase] += time;
    providers[provider] = (providers[provider] ?? 0) + time;
  }
  const slowest = [...kernels].sort((a, b) => b.seconds - a.seconds).slice(0, namedKernels);
  return {
    part,
    purpose: seen.purpose,
    batchSize: seen.batchSize,
    runs: seen.runs.length,
    seconds,
    kernelSeconds,
    outsideSeconds: Math.max(0, seconds - kernelSeconds),
    peakBytes: seen.peakBytes,
    providers,
    phases,
    operators: addedUp(kernels.map(({ place, seconds: time }) => [place.operator, time])),
    kernels: addedUp(kernels.map(({ kernel, seconds: time }) => [kernel, time])),
    layers: [...layers.values()].sort((a, b) => layerSeconds(b) - layerSeconds(a)),
    slowest: slowest.map(({ node, kernel, shapes, seconds: time }) => ({ node, kernel, shapes, seconds: time })),
  };
}

function layerSeconds({ forward, backward, update }: ModelProfile['layers'][number]): number {
  return forward + backward + update;
}

/** A foreign model's nodes have no place of ours: they run forward, and their folder-like names say the layer. */
function placeOf({ node, kernel }: KernelTime) {
  return parsePlaceName(node) ?? { layer: node, phase: 'forward' as const, operator: kernel };
}

function addedUp(times: readonly (readonly [name: string, seconds: number])[]): ModelProfile['operators'] {
  const sums = new Map<string, ModelProfile['operators'][number]>();
  for (const [name, seconds] of times) {
    const entry = sums.get(name) ?? { name, kernels: 0, seconds: 0 };
    entry.kernels++;
    entry.seconds += seconds;
    sums.set(name, entry);
  }
  return [...sums.values()].sort((a, b) => b.seconds - a.seconds);
}
