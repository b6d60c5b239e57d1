import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { countParameters, listNetworks, type NamedNetwork } from '../src/ml/networks/registry.ts';

const begin = '<!-- networks: written by npm run networks:table -->';
const end = '<!-- networks: end -->';

/** A text with the table of networks between its two marks, as the registry has it. */
export async function withNetworks(text: string, file: string): Promise<string> {
  const families = new Map<string, NamedNetwork[]>();
  for (const network of listNetworks()) {
    families.set(network.family, [...(families.get(network.family) ?? []), network]);
  }
  const table = [
    '| family | `--arch` | parameters, million | ImageNet top-1, % | weights, MiB | pixels | license |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- |',
    ...Array.from(families, ([family, networks]) => `| ${[family, ...familyCells(networks)].join(' | ')} |`),
  ];
  const [before = '', rest = ''] = text.split(begin);
  const after = rest.split(end)[1];
  if (after === undefined) throw new Error(`${file} has no place for the table of networks`);
  const written = `${before}${begin}\n\n${table.join('\n')}\n\n${end}${after}`;
  return format(written, { ...(await resolveConfig(file)), parser: 'markdown' });
}

/** What a family's networks have in common, each with its first set of weights: names, sizes, accuracy, pixels and licences. */
function familyCells(networks: readonly NamedNetwork[]): readonly string[] {
  const sets = networks.flatMap(({ weights }) => weights.slice(0, 1));
  const licences = networks.map(({ licence, weights: [set] }) => set?.licence ?? licence ?? '–');
  return [
    networks.map(({ name }) => `\`${name}\``).join(' '),
    rangeOf(
      networks.map(({ name }) => countParameters(name).parameters / 1e6),
      1,
    ),
    rangeOf(
      sets.flatMap(({ top1 }) => top1 ?? []),
      1,
    ),
    rangeOf(
      sets.map(({ megabytes }) => megabytes),
      0,
    ),
    rangeOf(
      sets.map(({ preprocessing }) => preprocessing.crop),
      0,
    ),
    [...new Set(licences)].join(', '),
  ];
}

function rangeOf(values: readonly number[], digits: number): string {
  if (values.length === 0) return '–';
  const [least, most] = [Math.min(...values).toFixed(digits), Math.max(...values).toFixed(digits)];
  return least === most ? least : `${least} to ${most}`;
}

/** The manifest with the networks that its setting offers, each with what is known of it. */
export async function withNetworkSetting(text: string, file: string): Promise<string> {
  const manifest = JSON.parse(text) as Manifest;
  const networks = listNetworks();
  const setting = manifest.contributes.configuration.properties['fivecrop.defaultNetwork'];
  setting.enum = networks.map(({ name }) => name);
  setting.enumDescriptions = networks.map(({ name, title, weights: [weights] }) => {
    const millions = (countParameters(name).parameters / 1e6).toFixed(1);
    const accuracy = weights?.top1 === undefined ? [] : [`${weights.top1.toFixed(1)} % on ImageNet`];
    const scratch = weights ? [] : ['trained from scratch'];
    return `${title}: ${[`${millions} million parameters`, ...accuracy, ...scratch].join(', ')}`;
  });
  return format(JSON.stringify(manifest), { ...(await resolveConfig(file)), parser: 'json-stringify' });
}

interface Manifest {
  readonly contributes: {
    readonly configuration: {
      readonly properties: {
        readonly 'fivecrop.defaultNetwork': { enum: readonly string[]; enumDescriptions: readonly string[] };
      };
    };
  };
}

/* `npm run networks:table` writes the table of README.md and the setting of package.json from the registry. */
if (import.meta.filename === process.argv[1]) {
  for (const [name, withNew] of [
    ['README.md', withNetworks],
    ['package.json', withNetworkSetting],
  ] as const) {
    const file = join(import.meta.dirname, '..', name);
    writeFileSync(file, await withNew(readFileSync(file, 'utf8'), file));
  }
}
