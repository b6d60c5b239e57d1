import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import multipart from '@fastify/multipart';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { CancelledError, codeOf, messageOf, UserError, userError } from '../../protocol/errors.ts';
import type { DecodePool } from '../data/decodePool.ts';
import type { Classifier } from '../inference/classifier.ts';
import { createImageClassifier } from './imageClassifier.ts';
import { describeRoutes } from './openApi.ts';
import { RefusedRequest, refused, stopping } from './refusedRequest.ts';
import { addRoutes } from './routes.ts';
import type { ServeLimits } from './serveLimits.ts';
import { createServeMetrics } from './serveMetrics.ts';
import { isLoopback, requireOwnPage, requireToken } from './whoMayAsk.ts';

export interface ServeOptions {
  /** An address or name of this machine. One that others reach needs a token. */
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly token?: string | undefined;
  readonly cropCount: 1 | 5;
  /** Threads that decode, which stay the caller’s. */
  readonly pool: DecodePool;
  readonly limits: ServeLimits;
  /** Hears of what is no client's fault. */
  readonly log: (sentence: string) => void;
}

export interface RunningServer {
  /** `http://127.0.0.1:8765`. */
  readonly address: string;
  /** Takes nothing new, ends what was accepted within `limits.stopSeconds`, and then closes all connections. */
  stop(): Promise<void>;
}

/**
 * Serves a classifier, which stays the caller's, over HTTP. Throws a usage error for an address that needs a token, and a
 * user error for one that cannot be had.
 */
export async function startServer(classifier: Classifier, options: ServeOptions): Promise<RunningServer> {
  const { host, port, token, limits, cropCount, pool } = options;
  requireToken(host, token);
  const app = createApp(limits);
  const images = createImageClassifier(classifier, {
    pool,
    cropCount,
    waitingImages: limits.waitingImages,
    onBatch: (count) => metrics.batch(count),
  });
  const metrics = createServeMetrics(() => images.waiting());
  const state = { isStopping: false, inFlight: 0 };
  const isStopping = () => state.isStopping;
  answerErrors(app, options.log);
  app.addHook('onRequest', async (request, reply) => {
    state.inFlight++;
    reply.raw.once('close', () => {
      state.inFlight--;
      const status = reply.raw.writableFinished ? reply.statusCode : leftStatus;
      metrics.ended(request.routeOptions.url ?? 'none', status, reply.elapsedTime / 1000);
    });
    reply.headers(safetyHeaders);
    requireOwnPage(request.headers, host);
    if (isStopping() && !request.url.startsWith('/health')) throw stopping();
  });
  app.addHook('onSend', async (_, reply) => {
    if (isStopping()) reply.header('Connection', 'close');
  });
  await describeRoutes(app, { needsToken: token !== undefined });
  await app.register(multipart);
  addRoutes(app, { classifier: images, limits, metrics, page: { title: endOf(classifier.title) }, token, isStopping });
  const address = await listen(app, {
    host: isLoopback(host) && host.toLowerCase() === 'localhost' ? '127.0.0.1' : host,
    port,
  });
  return {
    address,
    stop: async () => {
      state.isStopping = true;
      const until = performance.now() + limits.stopSeconds * 1000;
      // What was sent before the stop and is not read yet is told so: connections that are closed at once get no answer.
      await delay(onTheirWay);
      const closed = app.close();
      const timer = setInterval(() => {
        if (state.inFlight === 0 || performance.now() > until) app.server.closeAllConnections();
      }, 50);
      await closed;
      clearInterval(timer);
    },
  };
}

/** Milliseconds for requests that are on their way at a stop. */
const onTheirWay = 250;

/** What nginx counts if a client leaves before its answer. No client gets to see it. */
const leftStatus = 499;

/** Parts of a path that name a run and a checkpoint in it. */
const toldParts = 3;

/** What a classifier is called on the page, which needs no token: the end of its path, so that no folder of the user is told. */
function endOf(title: string): string {
  return title.split(/[\\/]/u).slice(-toldParts).join('/');
}

/** Answers belong to who asked: no other page may show them, and nothing keeps them. */
const safetyHeaders = {
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

function createApp({ headerSeconds, requestSeconds, requestBytes, connections }: ServeLimits): FastifyInstance {
  const app = Fastify({
    bodyLimit: requestBytes,
    requestTimeout: requestSeconds * 1000,
    keepAliveTimeout: 5000,
    // Requests that come while the server stops get our own sentence.
    return503OnClosing: false,
    http: { headersTimeout: headerSeconds * 1000, connectionsCheckingInterval: 500 },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, _, reply) => void sendError(reply.headers(safetyHeaders), answerOf(error)),
  });
  app.server.maxConnections = connections;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeAllContentTypeParsers();
  // Bodies are read where they are counted.
  for (const type of [/^image\//u, 'application/octet-stream']) {
    app.addContentTypeParser(type, (_, payload, done) => done(null, payload));
  }
  return app;
}

async function listen(app: FastifyInstance, { host, port }: { host: string; port: number }): Promise<string> {
  try {
    return await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const code = codeOf(error);
    if (code === 'EADDRINUSE')
      throw userError(`Port ${port} of ${host} is in use; choose another one by --port.`, error);
    if (code === 'EACCES') throw userError(`Port ${port} may not be used; choose one from 1024 by --port.`, error);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw userError(`${host} is not an address of this machine; choose another one by --host.`, error);
    }
    throw error;
  }
}

/** Every failure is answered with `{ error }`, a sentence, and never a stack. */
function answerErrors(app: FastifyInstance, log: (sentence: string) => void): void {
  app.setErrorHandler<FastifyError>(async (error, request, reply) => {
    await readToEnd(request.raw);
    const answer = answerOf(error);
    const { status } = answer;
    if (status === 503) reply.header('Retry-After', '1');
    if (status === 401) reply.header('WWW-Authenticate', 'Bearer');
    if (status === 500) log(messageOf(error));
    return sendError(reply, answer);
  });
  app.setNotFoundHandler(() => {
    throw refused(404, 'There is nothing here; /openapi.json lists what there is.');
  });
}

/** Not checked against the schemas of answers: this is what all of them have. */
function sendError(reply: FastifyReply, { status, message }: ErrorAnswer): FastifyReply {
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: message }));
}

/** Milliseconds that the rest of a refused request may take. */
const restMilliseconds = 10_000;

/**
 * Reads what is left of a body and throws it away, for a while: a client that still writes when its connection is closed may
 * not get to read the answer.
 */
async function readToEnd(request: IncomingMessage): Promise<void> {
  request.resume();
  if (request.complete || request.destroyed) return;
  await finished(request, { signal: AbortSignal.timeout(restMilliseconds) }).catch(() => undefined);
}

interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
}

function answerOf(error: FastifyError): ErrorAnswer {
  if (error instanceof RefusedRequest) return error;
  if (error instanceof CancelledError) return { status: leftStatus, message: 'The client left.' };
  if (error instanceof UserError) return { status: 500, message: error.message };
  if (error.code === 'FST_ERR_VALIDATION') {
    const [issue] = error.validation ?? [];
    const name = issue?.instancePath.replace(/^\//u, '') ?? '';
    return { status: 400, message: `Correct the query${name === '' ? '' : ` “${name}”`}: ${issue?.message ?? ''}.` };
  }
  if (error.statusCode === 415) {
    const how = 'as multipart/form-data, or one as its bytes with its type, such as image/jpeg';
    return { status: 415, message: `Send images ${how}.` };
  }
  const { statusCode = 500 } = error;
  if (statusCode < 500) return { status: statusCode, message: 'The request cannot be understood.' };
  return { status: 500, message: 'Something went wrong in the server; its log says what.' };
}

/** What Node itself refuses: there is no request to answer, only a connection. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, message] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'The request did not come in time.']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'The header of the request is too large.']
        : ['400 Bad Request', 'The request is not HTTP.'];
  const body = JSON.stringify({ error: message });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
  if (socket.writable) socket.end(`${head}\r\n\r\n${body}`);
  socket.destroySoon();
}
