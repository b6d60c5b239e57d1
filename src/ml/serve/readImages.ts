import type { FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import type { UploadedImage } from './imageClassifier.ts';
import { busy, refused, RefusedRequest } from './refusedRequest.ts';
import type { ServeLimits } from './serveLimits.ts';

/** Bytes that all requests hold together. */
export interface HeldBytes {
  /** Counts some more; false if they are too many. */
  take(bytes: number): boolean;
  /** Counts them no longer. */
  give(bytes: number): void;
}

export function createHeldBytes(most: number): HeldBytes {
  let held = 0;
  return {
    take: (bytes) => {
      if (held + bytes > most) return false;
      held += bytes;
      return true;
    },
    give: (bytes) => void (held -= bytes),
  };
}

/** Counts the bytes of one request among those of all. */
export interface RequestBytes {
  /** Throws a refusal if this request or all of them have too many. */
  add(bytes: number): void;
  /** Gives back what was added. */
  release(): void;
}

export function createRequestBytes(held: HeldBytes, { requestBytes }: ServeLimits): RequestBytes {
  let own = 0;
  return {
    add: (bytes) => {
      if (own + bytes > requestBytes) throw tooLarge('request', requestBytes);
      if (!held.take(bytes)) throw busy();
      own += bytes;
    },
    release: () => {
      held.give(own);
      own = 0;
    },
  };
}

/** Longest name of an image in an answer. */
const longestName = 255;

/**
 * The images of a request, in the order sent: each part of a `multipart/form-data` body, or the whole body. Throws a
 * refusal for bodies that are damaged, too large or hold too many images or none.
 */
export async function readImages(
  request: FastifyRequest,
  limits: ServeLimits,
  bytes: RequestBytes,
): Promise<UploadedImage[]> {
  if (Number(request.headers['content-length'] ?? 0) > limits.requestBytes) {
    throw tooLarge('request', limits.requestBytes);
  }
  try {
    const images = request.isMultipart()
      ? await readParts(request, limits, bytes)
      : await readBody(request, limits, bytes);
    if (images.every(({ content }) => content.length === 0)) throw refused(400, 'The request holds no image.');
    return images;
  } catch (error) {
    request.raw.unpipe();
    throw refusalOf(error, limits);
  }
}

async function readBody(request: FastifyRequest, limits: ServeLimits, bytes: RequestBytes): Promise<UploadedImage[]> {
  const body = request.body as Readable | undefined;
  return body ? [{ name: 'image', content: await readAll(body, limits, bytes) }] : [];
}

async function readParts(request: FastifyRequest, limits: ServeLimits, bytes: RequestBytes): Promise<UploadedImage[]> {
  const images: UploadedImage[] = [];
  const parts = request.files({
    limits: { fileSize: limits.imageBytes, files: limits.images, parts: limits.images, headerPairs: 20 },
    throwFileSizeLimit: false,
    preservePath: true,
    // Whatever the client calls a part, it is an image.
    isPartAFile: () => true,
  });
  for await (const { file, filename, fieldname } of parts) {
    const content = await readAll(file, limits, bytes);
    if (file.truncated) throw tooLarge('image', limits.imageBytes);
    images.push({ name: (filename || fieldname || 'image').slice(0, longestName), content });
  }
  return images;
}

/** The whole of a stream in memory of its own. */
async function readAll(
  stream: Readable,
  { imageBytes }: ServeLimits,
  bytes: RequestBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  let length = 0;
  // A refusal must not destroy the stream, and with it the connection that its answer goes over.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > imageBytes) throw tooLarge('image', imageBytes);
    bytes.add(chunk.length);
    chunks.push(chunk);
  }
  const content = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    content.set(chunk, at);
    at += chunk.length;
  }
  return content;
}

function tooLarge(what: 'image' | 'request', most: number): RefusedRequest {
  return refused(413, `The ${what} has more than ${most / 2 ** 20} MB; send less.`);
}

/** What the parser says of a body as a refusal. */
function refusalOf(error: unknown, { images }: ServeLimits): Error {
  if (error instanceof RefusedRequest) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'FST_FILES_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return refused(413, `The request has more than ${images} images; send them in several requests.`);
  }
  return refused(400, 'The body is cut short or damaged; send it again.');
}
