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
    const [top1, megabytes] = [weights?.top1?.toFixed(2) ?? '–', weights?.megabytes.toFixed(1) ?? '–'];
    const { resize, crop } = weights?.preprocessing ?? {};
    return `| \`${name}\` | ${parameters} | ${top1} | ${megabytes} | ${weights ? `${String(crop)} of ${String(resize)}` : '–'} | ${weights?.licence ?? licence ?? '–'} |`;
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
