import type { NetworkReference } from './network.ts';
import { namedNetwork } from './registry.ts';

/** Families whose networks took longer in 8 bits than in float32 where that was measured; see bench/NOTES.md. */
export const slowFamilies: ReadonlySet<string> = new Set([
  'MobileNetV3',
  'EfficientNet',
  'MaxViT',
  'ViT of timm',
  'ConvNeXt of timm',
  'ShuffleNetV2',
  'MNASNet',
]);

/** A sentence for the log, for a network of a family that is known to gain nothing from 8 bits. */
export function slowIn8Bits(reference: NetworkReference): string | undefined {
  if (reference.kind !== 'architecture') return undefined;
  const { family } = namedNetwork(reference.name, reference.hub);
  if (!slowFamilies.has(family)) return undefined;
  return `Networks of the family ${family} were slower in 8 bits (int8) than in float32 when they were measured: float32 may be faster here too.`;
}
