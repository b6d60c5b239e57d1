import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { lineSplitter } from '../../protocol/lines.ts';

/** Longest line that a client may send, in characters; requests have some twenty. */
const longestLine = 4096;
/** Characters that may wait for a client that does not read; one that is further behind finds everything in the run's folder. */
const mostWaiting = 4 * 1024 * 1024;
/** Clients at the same time: windows that show the run. */
const mostClients = 64;
/** Longest path of a socket that every system takes: macOS has 104 bytes with the end mark. */
const longestPath = 100;

export interface LineClient {
  send(line: string): void;
}

export interface LineSocketOptions {
  /** Called for each new client, before anything else is sent to it. */
  readonly onClient: (client: LineClient) => void;
  readonly onLine: (line: string) => void;
}

/** A local socket on which several clients exchange lines of text with this process. */
export interface LineSocket {
  /** Path of the socket, or name of the pipe. */
  readonly address: string;
  /** Sends a line to every client. */
  readonly broadcast: (line: string) => void;
  /** Waits until what was sent is on its way, then closes. */
  readonly close: () => Promise<void>;
}

/** Opens a local socket that only this user can reach: a Unix domain socket in a folder of its own, a pipe on Windows. */
export async function openLineSocket(options: LineSocketOptions): Promise<LineSocket> {
  const { address, remove } = await chooseAddress();
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.setEncoding('utf8');
    // A client that vanishes is no failure of the run.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => clients.delete(socket));
    socket.on(
      'data',
      lineSplitter(longestLine, options.onLine, () => socket.destroy()),
    );
    options.onClient({ send: (line) => socket.write(`${line}\n`) });
  });
  server.maxConnections = mostClients;
  await listen(server, address);
  return {
    address,
    broadcast: (line) => {
      for (const client of clients) {
        if (client.writableLength > mostWaiting) client.destroy();
        else client.write(`${line}\n`);
      }
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...clients].map(endClient));
      await closed;
      await remove();
    },
  };
}

/** How long a client may take to receive the last lines, in milliseconds. */
const endPatience = 1000;

function endClient(client: Socket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => client.destroy(), endPatience);
    client.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    client.end(() => client.destroy());
    if (client.destroyed) resolve();
  });
}

function listen(server: Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function chooseAddress(): Promise<{ address: string; remove: () => Promise<void> }> {
  const random = randomBytes(6).toString('hex');
  if (process.platform === 'win32') {
    return { address: `\\\\.\\pipe\\fivecrop-${random}`, remove: () => Promise.resolve() };
  }
  // mkdtemp makes a folder that only its owner may enter.
  const folders = [tmpdir(), '/tmp'].map((parent) => join(parent, 'fivecrop-'));
  const prefix =
    folders.find((folder) => Buffer.byteLength(`${folder}XXXXXX/socket`) <= longestPath) ?? '/tmp/fivecrop-';
  const folder = await mkdtemp(prefix);
  return { address: join(folder, 'socket'), remove: () => rm(folder, { recursive: true, force: true }) };
}
