import { usageError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import type { OptionValues } from './configFlags.ts';
import type { Output } from './output.ts';
import { chooseTarget } from './submitTargets.ts';
import { formatTable } from './table.ts';

/** `fivecrop submit clean`: lists what was brought to a host, and with `--yes` removes what nothing needs there. */
export async function cleanPlace(options: OptionValues, output: Output): Promise<void> {
  const { to } = options;
  if (typeof to !== 'string') throw usageError('Say which host, as in: fivecrop submit clean --to ssh:gpu1');
  const { target, place } = chooseTarget(to, options);
  if (!target.clean) throw usageError(`--to ${to}: nothing is brought there that could be removed.`);
  const remove = options['yes'] === true;
  const items = await target.clean(place, { remove, uncopied: options['uncopied'] === true, say: output.say });
  const superfluous = items.filter(({ needed }) => needed === undefined);
  for (const item of items) output.object({ ...item, removed: remove && item.needed === undefined });
  const rows = items.map(({ path, bytes, needed }) => [
    path,
    sizeWords(bytes),
    needed === undefined ? (remove ? 'removed' : 'not needed') : `stays: ${needed}`,
  ]);
  if (rows.length > 0) for (const line of formatTable(['there', 'size', ''], rows)) output.print(line);
  const sum = sizeWords(superfluous.reduce((bytes, item) => bytes + item.bytes, 0));
  const things = plural(superfluous.length, 'thing');
  if (superfluous.length === 0) output.say('Nothing can be removed.');
  else output.say(remove ? `Removed ${things} of ${sum}.` : `${things} of ${sum} can be removed: add --yes.`);
}

function sizeWords(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
