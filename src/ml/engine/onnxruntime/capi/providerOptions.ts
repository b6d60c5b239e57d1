import type { Library } from './library.ts';
import { zeroEnded } from './memory.ts';

/** Options of a provider, by its names. */
export type ProviderOptions = Readonly<Record<string, string>>;

/** Calls `use` with options as the library takes them: the addresses of names and of values, which last until it is done. */
export function withOptions(
  { addressOf }: Library,
  options: ProviderOptions,
  use: (names: BigUint64Array, values: BigUint64Array, count: number) => void,
): void {
  const names = Object.keys(options).map(zeroEnded);
  const values = Object.values(options).map(zeroEnded);
  use(BigUint64Array.from(names, addressOf), BigUint64Array.from(values, addressOf), names.length);
  // Up to here they had to be there.
  for (const list of [names, values]) list.length = 0;
}
