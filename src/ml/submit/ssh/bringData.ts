import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Brought } from '../../../protocol/remoteMessages.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { locateWeights } from '../../weights/locateWeights.ts';
import type { RemoteHost } from './remoteHost.ts';

/** The file that names class folders, looked for beside the data too. */
const classNamesFile = 'cat_to_name.json';

type NamesPaths = Pick<GivenConfig, 'data' | 'classNames' | 'network' | 'method'>;

/**
 * Brings what runs read from this machine to a host: their folders of images, with the names of the classes that lie beside
 * them, the files that their settings name, and pretrained weights. What is there already is not copied again. `say` hears what is brought.
 */
export async function bringData(
  host: RemoteHost,
  configs: readonly NamesPaths[],
  say: (line: string) => void,
): Promise<readonly Brought[]> {
  const brought: Brought[] = [];
  const folders = new Set(configs.map(({ data }) => data));
  for (const local of folders) {
    const parent = `data/${placeOf(local)}`;
    const remote = `${parent}/${plainName(local)}`;
    say(`Bringing ${local} to ${host.name}, as far as it has changed.`);
    await host.ask({ ask: 'prepare', folders: [parent] });
    await host.push(`${local}/`, `${remote}/`, ['-L', '--delete']);
    const names = join(dirname(local), classNamesFile);
    if (existsSync(names)) await host.push(names, `${parent}/${classNamesFile}`, ['-L']);
    brought.push({ local, remote });
  }
  for (const local of new Set(configs.flatMap(filesOf))) {
    const parent = `data/${placeOf(local)}`;
    const remote = `${parent}/${plainName(local)}`;
    await host.ask({ ask: 'prepare', folders: [parent] });
    await host.push(local, remote, ['-L']);
    brought.push({ local, remote });
  }
  for (const file of await weightsOf(configs)) await host.push(file, `weights/${basename(file)}`, ['-L']);
  return brought;
}

/** Files of published weights that runs begin with: hosts often reach no server. They were fetched when the runs were checked. */
async function weightsOf(configs: readonly NamesPaths[]): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for (const { network, method } of configs) {
    if (network.kind !== 'architecture' || method === 'scratch') continue;
    const { name, weights: set, hub: pin } = network;
    if (set === undefined || !isAbsolute(set)) files.add(await locateWeights(name, { set, pin }));
  }
  return files;
}

/** Files that settings name by their paths; those of published weights are fetched there. */
function filesOf({ classNames, network }: NamesPaths): string[] {
  const file = network.kind === 'backbone' ? network.file : network.weights;
  return [classNames, file].filter((path) => path !== undefined).filter((path) => isAbsolute(path));
}

/** The same for the same path of the same machine. */
function placeOf(path: string): string {
  return createHash('sha256').update(`${hostname()}\n${path}`).digest('hex').slice(0, 16);
}

/** A name in which no shell reads more. Two paths have folders of their own. */
function plainName(path: string): string {
  return (
    basename(path)
      .replace(/[^\w.-]+/gu, '_')
      .replace(/^[-.]+/u, '_') || '_'
  );
}
