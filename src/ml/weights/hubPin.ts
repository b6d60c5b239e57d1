import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { CancelledError, messageOf, UserError, weightsError } from '../../protocol/errors.ts';
import { type HubPin, hubPinSchema, type TimmConfig, timmConfigSchema } from '../../protocol/timmConfig.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { readBoundedJson } from '../../runs/boundedFile.ts';
import { type HubPlace, hubSource, type WeightsSource } from '../networks/weightSets.ts';
import { sha256OfFile } from './fileHash.ts';
import { askHub, understood } from './hub.ts';
import { hubAddress } from './hubAddress.ts';
import { notInMirror, unobtainable, type WeightsFiles } from './unobtainable.ts';
import { foldersOf, type LocateOptions, placesOf } from './weightsPlaces.ts';

/** A file of weights whose hash is known. */
export type CheckedSource = WeightsSource & { readonly sha256: string };
/** A file on the hub. */
export type HubSource = WeightsSource & { readonly hub: HubPlace };

/** What is kept beside a file of the hub, so that its name means the same next time. */
const memorySchema = hubPinSchema.extend({ repository: z.string(), path: z.string() });
const memoryLimit = { what: 'what is remembered of a file of the hub', bytes: 2 ** 20 };

/** A source as a pin fixes it. */
export function withPin({ file, hub }: HubSource, { commit = hub.commit, sha256, bytes }: HubPin): CheckedSource {
  return { ...hubSource(file, hub, { commit, sha256, bytes }), sha256 };
}

/**
 * What a file on the hub is: as its table says; as it was when it was first asked for, which is kept in the folder of weights;
 * of a file that lies there without that, what it is itself; else as the hub says, at the commit that is named or the newest.
 * `withConfig` asks for the network's configuration too. Throws a `UserError` of the kind `weights` where that is not to be
 * had, or a `CancelledError`.
 */
export async function hubPin(
  network: string,
  source: HubSource,
  withConfig: boolean,
  options: LocateOptions = {},
): Promise<HubPin> {
  const { sha256, bytes, hub } = source;
  if (!withConfig && sha256 !== undefined && bytes !== undefined && hub.commit !== undefined) {
    return { commit: hub.commit, sha256, bytes };
  }
  const places = placesOf(options);
  for (const folder of foldersOf(places)) {
    const here = (await remembered(folder, source)) ?? (await ofFileByHand(folder, source, withConfig, options.signal));
    if (here && (!withConfig || here.config)) return here;
  }
  const { folder, mirrorFolder, mirrorAddress: address = hubAddress() } = places;
  const files: WeightsFiles = { network, sources: [source] };
  if (mirrorFolder !== undefined) throw notInMirror(files, folder, mirrorFolder);
  let pin: HubPin;
  try {
    const { signal } = options;
    pin = await askHub(hub, { address, withConfig, ...(signal ? { signal } : {}) });
  } catch (error) {
    if (error instanceof CancelledError || error instanceof UserError) throw error;
    throw unobtainable(files, [{ url: address, error }]);
  }
  await remember(folder, source, pin);
  return pin;
}

function memoryFile(folder: string, { file }: HubSource): string {
  return join(folder, `${file}.json`);
}

async function remembered(folder: string, source: HubSource): Promise<HubPin | undefined> {
  const file = memoryFile(folder, source);
  if (!existsSync(file)) return undefined;
  const { repository, path, ...pin } = understood(await readBoundedJson(file, memoryLimit), memorySchema, file);
  const { hub } = source;
  const isSame = repository === hub.repository && path === hub.path;
  return isSame && (hub.commit === undefined || hub.commit === pin.commit) ? pin : undefined;
}

async function remember(folder: string, source: HubSource, pin: HubPin): Promise<void> {
  const { repository, path } = source.hub;
  try {
    await mkdir(folder, { recursive: true });
    await writeTextAtomically(
      memoryFile(folder, source),
      `${JSON.stringify({ repository, path, ...pin }, undefined, 1)}\n`,
    );
  } catch (error) {
    throw weightsError(`The weights folder ${folder} cannot be written to.`, messageOf(error));
  }
}

/** Of a file that a user has put there; the configuration lies beside it as `NAME.config.json`. */
async function ofFileByHand(
  folder: string,
  { file }: HubSource,
  withConfig: boolean,
  signal?: AbortSignal,
): Promise<HubPin | undefined> {
  const path = join(folder, file);
  const configFile = path.replace(/\.safetensors$/u, '.config.json');
  if (!existsSync(path) || (withConfig && !existsSync(configFile))) return undefined;
  const pin = { sha256: await sha256OfFile(path, signal), bytes: (await stat(path)).size };
  return withConfig ? { ...pin, config: await readConfigFile(configFile) } : pin;
}

async function readConfigFile(file: string): Promise<TimmConfig> {
  return understood(await readBoundedJson(file, memoryLimit), timmConfigSchema, file);
}
