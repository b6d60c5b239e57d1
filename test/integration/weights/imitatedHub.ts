import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export const commit = '0123456789abcdef0123456789abcdef01234567';

/** What a server was asked for, and with which token. */
export interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
}

/** A repository of the imitated hub; its large files come from another server, as the hub's do. */
export interface Repository {
  readonly config?: object | string;
  readonly content: Buffer;
  /** Of the large file; `model.safetensors` without it. */
  readonly path?: string;
  /** What the hub says of it, where that is not what it is. */
  readonly said?: { readonly sha256?: string; readonly size?: number; readonly blobId?: string };
  readonly licence?: string;
  /** Asks for a login before it gives a file; a token that begins with `member` has access. */
  readonly gated?: boolean;
}

export interface ImitatedHub {
  readonly address: string;
  /** Where large files come from. */
  readonly store: string;
  readonly repositories: Map<string, Repository>;
  readonly asked: Asked[];
  readonly askedOfStore: Asked[];
  /** Takes the place of the store's answer. */
  storeAnswer: ((request: IncomingMessage, response: ServerResponse, content: Buffer) => void) | undefined;
  close(): Promise<void>;
}

export const sha256Of = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

export async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

/** Waits until a file has so many bytes: of what a client has not written yet when its connection breaks off, it knows nothing. */
export async function hasWritten(file: string, bytes: number): Promise<void> {
  const size = () => stat(file).then(({ size: found }) => found, () => 0); // prettier-ignore
  while ((await size()) < bytes) await delay(5, undefined, { ref: false });
}

/** Sends what a range asks for. */
export function sendPart(request: IncomingMessage, response: ServerResponse, content: Buffer): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined) {
    response.writeHead(200, { 'content-length': content.length }).end(content);
    return;
  }
  const [from, to] = [Number(first), last ? Number(last) : content.length - 1];
  const range = `bytes ${from}-${to}/${content.length}`;
  response.writeHead(206, { 'content-length': to + 1 - from, 'content-range': range });
  response.end(content.subarray(from, to + 1));
}

/** A hub that answers as huggingface.co does, as far as it is asked. */
export async function imitateHub(): Promise<ImitatedHub> {
  const repositories = new Map<string, Repository>();
  const [asked, askedOfStore]: [Asked[], Asked[]] = [[], []];
  const of = ({ url = '', headers: { authorization } }: IncomingMessage): Asked => ({ url, authorization });
  const storeServer = createServer((request, response) => {
    askedOfStore.push(of(request));
    const content = repositories.get(decodeURIComponent((request.url ?? '').slice(1)))?.content ?? Buffer.alloc(0);
    (hub.storeAnswer ?? sendPart)(request, response, content);
  });
  const hubServer = createServer((request, response) => {
    asked.push(of(request));
    answer(repositories, store, request, response);
  });
  const [address, store] = [await listen(hubServer), await listen(storeServer)];
  const hub: ImitatedHub = {
    ...{ address, store, repositories, asked, askedOfStore },
    storeAnswer: undefined,
    close: async () => {
      await close(hubServer);
      await close(storeServer);
    },
  };
  return hub;
}

function answer(
  repositories: ReadonlyMap<string, Repository>,
  store: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { url = '', headers } = request;
  const refuse = (status: number, code: string) => response.writeHead(status, { 'x-error-code': code }).end('{}');
  const api = /^\/api\/models\/(.+?)\/revision\/([^?]+)/.exec(url);
  const file = /^\/(.+?)\/resolve\/([^/]+)\/(.+)$/.exec(url);
  const [, name = '', revision = ''] = api ?? file ?? [];
  const repository = repositories.get(name);
  if (!repository) return void refuse(401, 'RepoNotFound');
  if (revision !== 'main' && revision !== commit) return void refuse(404, 'RevisionNotFound');
  if (api) return void response.end(JSON.stringify(said(repository)));
  if (repository.gated) {
    if (headers.authorization === undefined) return void refuse(401, 'GatedRepo');
    if (headers.authorization.startsWith('Bearer stranger')) return void refuse(403, 'GatedRepo');
    if (!headers.authorization.startsWith('Bearer member')) return void response.writeHead(401).end('{}');
  }
  if (file?.[3] === 'config.json' && repository.config !== undefined) return void response.end(textOf(repository));
  if (file?.[3] !== pathOf(repository)) return void refuse(404, 'EntryNotFound');
  response.writeHead(302, { location: `${store}/${encodeURIComponent(name)}` }).end();
}

function pathOf({ path = 'model.safetensors' }: Repository): string {
  return path;
}

function textOf({ config }: Repository): string {
  return typeof config === 'string' ? config : JSON.stringify(config);
}

function said(repository: Repository): object {
  const { content, said: lie = {}, licence = 'apache-2.0' } = repository;
  const { sha256 = sha256Of(content), size = content.length } = lie;
  const text = Buffer.from(repository.config === undefined ? '' : textOf(repository));
  const git = createHash('sha1').update(`blob ${text.length}\0`).update(text).digest('hex');
  return {
    id: 'any',
    sha: commit,
    gated: repository.gated === true ? 'manual' : false,
    cardData: { license: licence },
    siblings: [
      { rfilename: 'README.md', size: 10, blobId: git },
      { rfilename: 'config.json', size: text.length, blobId: lie.blobId ?? git },
      { rfilename: pathOf(repository), size, blobId: git, lfs: { sha256, size, pointerSize: 134 } },
    ],
  };
}
