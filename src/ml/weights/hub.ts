import { createHash } from 'node:crypto';
import * as z from 'zod';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { cancelled, messageOf, userError } from '../../protocol/errors.ts';
import { type HubPin, type TimmConfig, timmConfigSchema } from '../../protocol/timmConfig.ts';
import type { HubPlace } from '../networks/weightSets.ts';
import { requestFile } from './httpRequest.ts';
import { hostOf } from './hubAddress.ts';

const commitSchema = z.string().regex(/^[0-9a-f]{40}$/u);
const sizeSchema = z.number().int().min(1);

/** What the hub's API says of a repository at a commit, as far as it is of use here. */
const repositorySchema = z.object({
  sha: commitSchema,
  cardData: z.object({ license: z.string().max(200).nullish(), license_name: z.string().max(200).nullish() }).nullish(),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: sizeSchema.nullish().catch(undefined),
      /** git's name of the file's content. */
      blobId: z.string().nullish(),
      lfs: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/u), size: sizeSchema }).nullish(),
    }),
  ),
});
type Repository = z.infer<typeof repositorySchema>;

/** Largest answer of the API, and largest configuration, that is read, in bytes. */
const mostAnswer = 16 * 2 ** 20;
const mostConfig = 2 ** 20;
/** Time in which the hub has to answer a question, in milliseconds. */
const questionMilliseconds = 20_000;

/**
 * What stands under a name of the hub: commit, hash, size and licence of a file, at the commit that is named or else the
 * newest, and with `withConfig` the network's `config.json` of the same commit. `address` is the hub's, or a mirror's that
 * is arranged like it. Throws what `requestFile` does, and a user error where the hub says nothing that is of use.
 */
export async function askHub(
  { repository, path, commit = 'main' }: HubPlace,
  { address, withConfig, signal }: { address: string; withConfig: boolean; signal?: AbortSignal },
): Promise<HubPin> {
  const host = hostOf(address);
  const text = await readText(`${address}/api/models/${repository}/revision/${commit}?blobs=true`, mostAnswer, signal);
  const what = `What ${host} says of ${repository}`;
  const said = understood(parsed(text, what), repositorySchema, what);
  const file = said.siblings.find(({ rfilename }) => rfilename === path);
  if (!file) throw userError(`${repository} on ${host} has no file ${path}: choose another network.`);
  if (!file.lfs)
    throw userError(`${host} names no hash of ${path} in ${repository}, so the file could not be checked.`);
  const { license, license_name: name } = said.cardData ?? {};
  const licence = license === 'other' ? (name ?? license) : license;
  return {
    commit: said.sha,
    sha256: file.lfs.sha256,
    bytes: file.lfs.size,
    ...(licence ? { licence } : {}),
    ...(withConfig ? { config: await readConfig(repository, said, address, signal) } : {}),
  };
}

async function readConfig(
  repository: string,
  { sha, siblings }: Repository,
  address: string,
  signal?: AbortSignal,
): Promise<TimmConfig> {
  const what = `config.json of ${repository}`;
  const text = await readText(`${address}/${repository}/resolve/${sha}/config.json`, mostConfig, signal);
  const listed = siblings.find(({ rfilename }) => rfilename === 'config.json')?.blobId;
  if (listed && listed !== blobName(text)) throw userError(`${what} is another file than ${hostOf(address)} lists.`);
  return understood(parsed(text, what), timmConfigSchema, what);
}

/** The name that git gives a file's content. */
function blobName(text: string): string {
  const content = Buffer.from(text);
  return createHash('sha1').update(`blob ${content.byteLength}\0`).update(content).digest('hex');
}

function parsed(text: string, what: string): unknown {
  try {
    return parseBoundedJson(text);
  } catch (error) {
    throw userError(`${what} is not JSON that can be used: ${messageOf(error)}.`);
  }
}

/** What came from outside, as `schema` has it. Throws a user error where it is damaged. */
export function understood<Value>(value: unknown, schema: z.ZodType<Value>, what: string): Value {
  const { data, error } = schema.safeParse(value);
  if (data !== undefined) return data;
  const [issue] = error?.issues ?? [];
  throw userError(`${what} cannot be understood (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`);
}

async function readText(url: string, mostBytes: number, signal?: AbortSignal): Promise<string> {
  const patience = AbortSignal.timeout(questionMilliseconds);
  try {
    const response = await requestFile(url, { from: 0 }, AbortSignal.any(signal ? [signal, patience] : [patience]));
    const parts: Uint8Array[] = [];
    let bytes = 0;
    for await (const part of response.body ?? []) {
      parts.push(part as Uint8Array);
      bytes += (part as Uint8Array).byteLength;
      if (bytes > mostBytes) throw userError(`${hostOf(url)} sends more than ${mostBytes / 2 ** 20} MB.`);
    }
    return Buffer.concat(parts).toString('utf8');
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    throw error;
  }
}
