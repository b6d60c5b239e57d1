import type { TimmConfig } from '../../protocol/timmConfig.ts';

/** What arguments of timm's constructors are here: none for a number that is not set. */
type Argument = number | boolean | null | readonly number[];

/** What says nothing of what the network computes here: its graph is built for one size, and nothing is dropped. */
const ignored = new Set(['img_size', 'dynamic_img_size', 'dynamic_img_pad', 'in_chans', 'num_classes', 'global_pool']);

/** Far more than networks have, of layers and of all that is counted. */
const mostLayers = 100;
const mostCounted = 10_000;

/**
 * The arguments of a constructor of timm: those of the architecture with what a configuration says instead, under timm's
 * names. Throws `RangeError`, a clause, for an argument of the configuration that is unknown here or of another kind than
 * the architecture's.
 */
export function withModelArguments<Arguments extends Readonly<Record<keyof Arguments, Argument>>>(
  known: Arguments,
  { model_args: given }: TimmConfig,
): Arguments {
  const changes = Object.entries(given ?? {}).filter(([name]) => !ignored.has(name));
  for (const [name, value] of changes) {
    const usual: Argument | undefined = Object.hasOwn(known, name) ? known[name as keyof Arguments] : undefined;
    if (usual === undefined || !isAlike(name, usual, value)) {
      throw new RangeError(`its argument ${name} = ${JSON.stringify(value)} is not supported`);
    }
  }
  return { ...known, ...Object.fromEntries(changes) };
}

/** Whether a value can take the place of the architecture's own. */
function isAlike(name: string, usual: Argument, value: unknown): boolean {
  if (typeof usual === 'boolean') return typeof value === 'boolean';
  if (typeof usual === 'object' && usual !== null) {
    return Array.isArray(value) && value.length === usual.length && value.every((one) => isCount(name, one));
  }
  if (usual === null || !Number.isInteger(usual) || name.endsWith('ratio')) {
    return value === null ? usual === null : typeof value === 'number' && value > 0;
  }
  return usual === 0 && value === 0 ? true : isCount(name, value);
}

function isCount(name: string, value: unknown): boolean {
  const most = name.startsWith('depth') ? mostLayers : mostCounted;
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= most;
}

/**
 * How the last map or the last tokens become features: as the configuration says it, or as the architecture does itself,
 * which is the first of `supported`. Throws `RangeError`, a clause, for a way that is not supported.
 */
export function supportedPool<Pool extends string>(
  { global_pool: said }: TimmConfig,
  supported: readonly [usual: Pool, ...others: Pool[]],
): Pool {
  const known = said === undefined || said === null ? supported[0] : supported.find((pool) => pool === said);
  if (known !== undefined) return known;
  const all = supported.join(' and ');
  throw new RangeError(
    `its features are pooled by ${said === '' ? 'nothing' : said}, and only ${all} ${supported.length > 1 ? 'are' : 'is'} supported`,
  );
}

/** Throws `RangeError`, a clause, where the features of a token are not to be shared out among the heads in parts of `multiple`. */
export function refuseUnevenHeads(
  { embed_dim: size, num_heads: heads }: Readonly<Record<'embed_dim' | 'num_heads', number>>,
  multiple = 1,
): void {
  if (size % (heads * multiple) === 0) return;
  throw new RangeError(`its tokens of ${size} features cannot be divided among ${heads} heads`);
}
