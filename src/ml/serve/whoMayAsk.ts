import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';
import { usageError } from '../../protocol/errors.ts';
import { refused } from './refusedRequest.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only programs of this machine reach an address or a name. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/u, '$1');
  const family = isIP(bare);
  if (family === 0) return bare.toLowerCase() === 'localhost';
  return loopback.check(bare, family === 4 ? 'ipv4' : 'ipv6');
}

/** Throws a usage error for an address that others reach if there is no token. */
export function requireToken(host: string, token: string | undefined): void {
  if (token !== undefined || isLoopback(host)) return;
  throw usageError(
    `--host ${host} lets other machines in, which takes a token: name a file by --token-file, or set FIVECROP_TOKEN.`,
  );
}

/**
 * Throws a refusal if a web page elsewhere makes a browser ask: such a page knows the server by a name of its own (DNS
 * rebinding), or its own origin is told. On other addresses than loopback the token guards, so names are free there.
 */
export function requireOwnPage({ host = '', origin }: IncomingHttpHeaders, servedAt: string): void {
  if (isLoopback(servedAt) && !isLoopback(hostnameOf(`http://${host}`))) {
    throw refused(403, 'The server answers to its address and to localhost alone, not to the name in the Host header.');
  }
  if (origin !== undefined && hostOf(origin) !== host.toLowerCase()) {
    throw refused(403, 'Pages of other origins may not use the server.');
  }
}

function hostnameOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : '';
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).host : undefined;
}

/** Throws a refusal for a request without the token. What is compared takes the same time whatever was sent. */
export function requireBearer({ authorization = '' }: IncomingHttpHeaders, token: string | undefined): void {
  if (token === undefined) return;
  const [, given = ''] = /^Bearer +(\S+) *$/iu.exec(authorization) ?? [];
  if (timingSafeEqual(digestOf(given), digestOf(token))) return;
  throw refused(401, 'A token is needed: send it as “Authorization: Bearer TOKEN”.');
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
