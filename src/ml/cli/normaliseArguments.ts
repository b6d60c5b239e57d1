/** The report's flag names that differ from ours in more than underscores, and ours. */
const renamed: ReadonlyMap<string, readonly string[]> = new Map([
  ['--learning-rate', ['--lr']],
  ['--hidden-units', ['--hidden']],
  // Under its own name commander would take it for the negation of `--of-trainable`.
  ['--no-of-trainable', ['--trainable-tensors']],
  ['--category-names', ['--class-names']],
  ['--load-dir', ['--checkpoint']],
  ['--gpu', ['--device', 'gpu']],
]);

/**
 * Brings the report's own spelling of flags to ours: underscores become hyphens, and names of the report's scripts
 * become the flags that do the same here. Values, and everything behind `--`, stay as they are.
 */
export function normaliseArguments(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  const flags = end < 0 ? argv : argv.slice(0, end);
  return [...flags.flatMap(normaliseFlag), ...(end < 0 ? [] : argv.slice(end))];
}

function normaliseFlag(argument: string): string[] {
  const match = /^(--[a-z][a-z0-9_-]*)(=.*)?$/is.exec(argument);
  if (!match) return [argument];
  const [, flag = '', value = ''] = match;
  const name = flag.replaceAll('_', '-');
  const [ours = name, ...extra] = renamed.get(name) ?? [];
  return [`${ours}${value}`, ...extra];
}
