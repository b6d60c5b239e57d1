import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchResult, type FigureResult, median, reachesGoal } from './result.ts';

/** What a table stands between. */
const begin = '<!-- bench: written by npm run bench:table -->';
const end = '<!-- bench: end -->';

/** The README's rows: a figure's title in the results, and its title there. */
const summary: readonly (readonly [figure: string, title: string])[] = [
  ['resnet18, full training step, batch 32', 'ResNet-18, training step'],
  ['densenet169, full training step, batch 16', 'DenseNet-169, training step'],
  ['ConvNet2, full training step, batch 32', 'ConvNet2, training step'],
  ['DenseNet-169, head only, 5 epochs on flowers, new augmentation each epoch', 'DenseNet-169, head only, five epochs'],
  ['the same with frozen layers in 8 bits, --frozen-precision int8', 'the same in 8 bits'],
  ['the same with kept features of one view, --feature-views 1', 'the same with kept features'],
  ['decode and augment, five epochs together', 'Images decoded and augmented, five epochs'],
  ['five-crop prediction of many images', 'Five crops'],
  ['five-crop prediction of many images in 8 bits, --precision int8', 'Five crops in 8 bits'],
];

/** Every result in a folder of a folder for each machine, in the order of their names. */
export function readResults(folder: string): BenchResult[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as BenchResult);
}

/** The folder of a machine's results, a word for each of its processor's, or its card's: `amd-epyc-family-25-model-17-avx-512`. */
export function machineFolder({ card, ...machine }: BenchResult['machine']): string {
  const words = (card ?? processorOf(machine)).replace(/\([^)]*\)/gu, ' ').match(/[\p{L}\p{N}]+/gu) ?? ['unknown'];
  return words.join('-').toLowerCase();
}

function processorOf({ cpu, model, vectors }: BenchResult['machine']): string {
  return [cpu, model, vectors].filter((part) => part !== undefined).join(', ');
}

/** A text with a table of each machine's results between its two markers. Throws if it has no markers. */
export function withTables(text: string, results: readonly BenchResult[]): string {
  return between(text, tablesOf(results));
}

/** A text with the short table between its two markers: our speed over the peer's, a column a machine. Throws if it has no markers. */
export function withSummary(text: string, results: readonly BenchResult[]): string {
  const cellsOf = (folder: string) =>
    results
      .filter(({ machine }) => machineFolder(machine) === folder)
      .flatMap(({ figures, versions }) =>
        figures.map((figure) => [figure.title, summaryCell(figure, versions)] as const),
      );
  const columns = machineFolders(results)
    .map((folder) => ({ of: new Map(cellsOf(folder)), folder }))
    .filter(({ of }) => summary.some(([figure]) => of.has(figure)));
  const titles = columns.map(({ folder }) => {
    const machine = results.find((result) => machineFolder(result.machine) === folder)?.machine;
    const name =
      machine &&
      processorOf(machine)
        .replaceAll('(R)', '')
        .replace(/ Processor$/u, '');
    return `${name ?? folder}, ${machine?.cores ?? 0} cores`;
  });
  const rows = summary.map(([figure, title]) => {
    const cells = columns.map(({ of }) => of.get(figure) ?? '–');
    return `| ${[title, ...cells].join(' | ')} |`;
  });
  const header = [`| our speed over torch's | ${titles.join(' | ')} |`, `| --- |${' ---: |'.repeat(titles.length)}`];
  return between(text, [...header, ...rows].join('\n'));
}

/** A ratio and the torch that it is to: `1.22 (2.15)`. */
function summaryCell({ ratio, peer }: FigureResult, { peer: versions }: BenchResult['versions']): string {
  const torch = /^torch (\d+\.\d+)/u.exec(peer ?? '')?.[1] ?? /^\d+\.\d+/u.exec(versions['torch'] ?? '')?.[0] ?? '?';
  return ratio ? `${ratio.median.toFixed(2)} (${torch})` : '–';
}

function between(text: string, table: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the text has no lines ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

function tablesOf(results: readonly BenchResult[]): string {
  if (results.length === 0) return 'Nothing has been measured yet.';
  return machineFolders(results)
    .map((folder) => tableOf(results.filter(({ machine }) => machineFolder(machine) === folder)))
    .join('\n\n');
}

function machineFolders(results: readonly BenchResult[]): string[] {
  return [...new Set(results.map(({ machine }) => machineFolder(machine)))];
}

/** The table's first lines. */
export const tableHeader = [
  '| work | ours | peer | ratio | goal | of the limit |',
  '| --- | ---: | ---: | ---: | ---: | ---: |',
];

/** The results of one machine. */
function tableOf(results: readonly BenchResult[]): string {
  const rows = results.flatMap(({ figures }) => figures.map(rowOf));
  const machines = [...new Set(results.map(machineOf))];
  return [...machines, '', ...tableHeader, ...rows].join('\n');
}

/** One row as Markdown. */
export function rowOf(figure: FigureResult): string {
  const { title, unit, peer, peers, ratio, ofLimit, peerOfLimit } = figure;
  const theirs = peer === undefined ? undefined : median(peers[peer] ?? []);
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(share * 100).toFixed(0)} %`);
  const cells = [
    title,
    `${rounded(median(figure.ours))} ${unit}`,
    theirs === undefined ? '–' : `${rounded(theirs)} ${unit} (${peer})`,
    ratio ? `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)})` : '–',
    goalOf(figure),
    ofLimit === undefined
      ? '–'
      : `${percent(ofLimit)}${peerOfLimit === undefined ? '' : `, peer ${percent(peerOfLimit)}`}`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function goalOf(figure: FigureResult): string {
  const { goal, unit, better, ratio } = figure;
  if (goal === undefined) return '–';
  const atLeast = ratio ? unit !== 'MiB' : better === 'more';
  const bound = `${atLeast ? '≥' : '≤'} ${goal}${ratio ? '' : ` ${unit}`}`;
  return reachesGoal(figure) ? bound : `${bound}, missed`;
}

function rounded(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function machineOf({ machine, versions }: BenchResult): string {
  const list = (of: Record<string, string>) =>
    Object.entries(of)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ');
  const { card, cores, memoryMebibytes } = machine;
  const memory = `${(memoryMebibytes / 1024).toFixed(0)} GiB`;
  const peer = Object.keys(versions.peer).length > 0 ? `; peer: ${list(versions.peer)}` : '';
  return `Measured on ${card === undefined ? '' : `${card} with `}${processorOf(machine)}, ${cores} cores, ${memory}; ours: ${list(versions.ours)}${peer}.`;
}
