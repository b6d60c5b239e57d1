import { once } from 'node:events';
import { request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { after, type TestContext } from 'node:test';
import sharp from 'sharp';
import type { FailedPrediction, ImagePrediction } from '../../../src/protocol/prediction.ts';
import { createDecodePool } from '../../../src/ml/data/decodePool.ts';
import type { Classifier } from '../../../src/ml/inference/classifier.ts';
import { predictImages } from '../../../src/ml/inference/predictImages.ts';
import { limitsOf, type ServeLimits } from '../../../src/ml/serve/serveLimits.ts';
import { type RunningServer, type ServeOptions, startServer } from '../../../src/ml/serve/startServer.ts';
import { until } from '../../e2e/until.ts';
import { colourClassifier } from '../../unit/inference/fakeClassifier.ts';

export const pool = createDecodePool(2);
after(() => pool.dispose());

/** A JPEG of one colour. */
export function colouredImage(r: number, g: number, b: number): Promise<Buffer> {
  return sharp({ create: { width: 24, height: 16, channels: 3, background: { r, g, b } } })
    .jpeg()
    .toBuffer();
}

export interface ServedOptions extends Partial<Omit<ServeOptions, 'limits'>> {
  readonly classifier?: Classifier;
  readonly limits?: Partial<ServeLimits>;
}

/** A server of the classifier that tells colours, on a free port, stopped after the test. */
export async function serveColours(
  t: TestContext,
  { classifier = colourClassifier(), limits, ...given }: ServedOptions = {},
): Promise<RunningServer> {
  const server = await startServer(classifier, {
    host: '127.0.0.1',
    port: 0,
    cropCount: 5,
    pool,
    log: (line) => t.diagnostic(line),
    limits: { ...limitsOf({ megabytes: 1, images: 4, waitingImages: 8 }), stopSeconds: 5, ...limits },
    ...given,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= server.stop());
  t.after(stop);
  return { ...server, stop };
}

export type Answer = { readonly images: readonly (ImagePrediction | FailedPrediction)[] } & { readonly error: string };

/** Sends images as one multipart body. */
export function classify(
  { address }: RunningServer,
  images: readonly (readonly [name: string, content: Uint8Array<ArrayBuffer>])[],
  query = '',
): Promise<Response> {
  const body = new FormData();
  for (const [name, content] of images) body.append('image', new Blob([content]), name);
  return fetch(`${address}/classify${query}`, { method: 'POST', body });
}

export async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}

/** What `predict` says of the same bytes. */
export async function predicted(name: string, content: Uint8Array, topK = 5): Promise<unknown> {
  for await (const prediction of predictImages(colourClassifier(), [{ name, content }], { cropCount: 5, topK })) {
    return JSON.parse(JSON.stringify(prediction));
  }
  return undefined;
}

/** A GET with headers that `fetch` does not let through. */
export function ask(address: string, path: string, headers: Record<string, string>) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    request(`${address}${path}`, { headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (more: string) => (text += more));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    })
      .on('error', reject)
      .end();
  });
}

/** Sends bytes as they are and returns all that comes until the server closes the connection. */
export async function sendRaw(address: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const { send, answer } = await openConnection(address);
  send(...parts);
  return answer;
}

/** A connection with a server that nothing has been sent over; its answer is all that comes until the server closes it. */
export async function openConnection(address: string) {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  let text = '';
  const answer = new Promise<string>((resolve, reject) => {
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    socket.on('error', reject).on('close', () => resolve(text));
  });
  await Promise.race([once(socket, 'connect'), answer]);
  const send = (...parts: readonly (string | Uint8Array)[]) => {
    for (const part of parts) socket.write(part);
  };
  return { send, answer };
}

/** Waits until a server has so many images that wait or are being classified. */
export function hasWaiting({ address }: RunningServer, images: number): Promise<void> {
  return until(`${images} images wait`, async () =>
    (await figuresOf(address)).includes(`\nfivecrop_waiting_images ${images}\n`),
  );
}

/** What a server counts of itself. */
export async function figuresOf(address: string): Promise<string> {
  return (await fetch(`${address}/metrics`)).text();
}
