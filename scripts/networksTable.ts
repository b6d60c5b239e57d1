import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { countParameters, listNetworks } from '../src/ml/networks/registry.ts';

const begin = '<!-- networks: written by npm run networks:table -->';
const end = '<!-- networks: end -->';

/** A text with the table of networks between its two marks, as the registry has it. */
export async function withNetworks(text: string, file: string): Promise<string> {
  const rows = listNetworks().map(({ name, licence, weights: [weights] }) => {
    const parameters = countParameters(name).parameters.toLocaleString('en');
    const [top1, megabytes] = weights ? [weights.top1.toFixed(2), weights.megabytes.toFixed(1)] : ['–', '–'];
    const { resize, crop } = weights?.preprocessing ?? {};
    return `| \`${name}\` | ${parameters} | ${top1} | ${megabytes} | ${weights ? `${String(crop)} of ${String(resize)}` : '–'} | ${licence ?? '–'} |`;
  });
  const table = [
    '| `--arch` | parameters | ImageNet top-1, % | weights, MiB | pixels | licence |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...rows,
  ];
  const [before = '', rest = ''] = text.split(begin);
  const after = rest.split(end)[1];
  if (after === undefined) throw new Error(`${file} has no place for the table of networks`);
  const written = `${before}${begin}\n\n${table.join('\n')}\n\n${end}${after}`;
  return format(written, { ...(await resolveConfig(file)), parser: 'markdown' });
}

/* `npm run networks:table` writes the table of README.md from the registry. */
if (import.meta.filename === process.argv[1]) {
  const file = join(import.meta.dirname, '..', 'README.md');
  writeFileSync(file, await withNetworks(readFileSync(file, 'utf8'), file));
}
