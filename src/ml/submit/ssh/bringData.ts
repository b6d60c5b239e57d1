import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { Brought } from '../../../protocol/remoteMessages.ts';
import type { GivenConfig } from '../../../protocol/trainingConfig.ts';
import { locateWeights } from '../../weights/locateWeights.ts';
import { bringAlone } from './bringAlone.ts';
import type { RemoteHost } from './remoteHost.ts';

/** The file that names class folders, looked for beside the data too. */
const classNamesFile = 'cat_to_name.json';

type NamesPaths = Pick<GivenConfig, 'data' | 'classNames' | 'network' | 'method'>;

/** Brings what runs read from this machine to a host. */
export type DataBringer = (configs: readonly NamesPaths[]) => Promise<readonly Brought[]>;

/**
 * What brings to a host what runs read from this machine: their folders of images, with the names of the classes that lie
 * beside them, the files that their settings name, and pretrained weights. What is there already is not copied again, and
 * what was brought once is not looked at again. `say` hears what is brought.
 */
export function createBringer(host: RemoteHost, say: (line: string) => void): DataBringer {
  const known = new Map<string, Promise<Brought>>();
  const once = (local: string, bring: () => Promise<Brought>): Promise<Brought> => {
    const begun = known.get(local) ?? bring();
    known.set(local, begun);
    // What failed may be tried again.
    return begun.catch((error: unknown) => {
      known.delete(local);
      throw error;
    });
  };
  const placed = async (local: string, push: (remote: string, parent: string) => Promise<void>): Promise<Brought> => {
    const parent = `data/${idOf(local)}`;
    const remote = `${parent}/${plainName(local)}`;
    await host.ask({ ask: 'prepare', folders: [parent] });
    await push(remote, parent);
    return { local, remote };
  };
  const bringFolder = (local: string) =>
    placed(local, async (remote, parent) => {
      say(`Bringing ${local} to ${host.name}, as far as it has changed.`);
      await bringAlone(host.name, remote, () => host.push(`${local}/`, `${remote}/`, ['-L', '--delete']));
      const names = join(dirname(local), classNamesFile);
      if (existsSync(names)) await host.push(names, `${parent}/${classNamesFile}`, ['-L']);
    });
  const bringFile = (local: string) => placed(local, (remote) => host.push(local, remote, ['-L']));
  const bringWeights = async (local: string): Promise<Brought> => {
    const remote = `weights/${basename(local)}`;
    await host.ask({ ask: 'prepare', folders: ['weights'] });
    await host.push(local, remote, ['-L']);
    return { local, remote };
  };
  return async (configs) => {
    const brought: Brought[] = [];
    const each = async (paths: Iterable<string>, bring: (local: string) => Promise<Brought>) => {
      for (const local of new Set(paths)) brought.push(await once(local, () => bring(local)));
    };
    await each(
      configs.map(({ data }) => data),
      bringFolder,
    );
    await each(configs.flatMap(filesOf), bringFile);
    await each(await weightsOf(configs), bringWeights);
    return brought;
  };
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

/** Names a path of this machine on a host, the same each time. */
export function idOf(path: string): string {
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
