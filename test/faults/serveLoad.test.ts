import assert from 'node:assert/strict';
import { connect } from 'node:net';
import process from 'node:process';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { Agent, fetch, FormData, type Response } from 'undici';
import { startServed } from '../../bench/servedCommand.ts';
import type { FailedPrediction, ImagePrediction } from '../../src/protocol/prediction.ts';
import { onnxEngine } from '../../src/ml/engine/onnxruntime/onnxEngine.ts';
import { createRandom } from '../../src/ml/graph/random.ts';
import { loadClassifier } from '../../src/ml/inference/loadClassifier.ts';
import { predictImages } from '../../src/ml/inference/predictImages.ts';
import { noiseImage, temporaryFolder } from '../unit/data/temporaryImages.ts';
import { writeRandomCheckpoint } from '../unit/inference/checkpointFixture.ts';

/** A minute by hand. */
const seconds = Number(process.env['FIVECROP_SERVE_SECONDS'] ?? 2);
const seed = Number(process.env['FIVECROP_SEED'] ?? Date.now() % 1e6);
const clients = 16;
/** Memory can be told to be flat from a run of so many seconds on. */
const leastSecondsForMemory = 30;

/** A connection for each request: one that is kept may be closed by the server just when the next request begins. */
const dispatcher = new Agent({ pipelining: 0 });

type Answered = ImagePrediction | FailedPrediction;
interface Upload {
  readonly name: string;
  readonly content: Uint8Array<ArrayBuffer>;
}
type Random = ReturnType<typeof createRandom>;

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[random.integer(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** A PNG whose header promises more pixels than any machine holds. */
function bomb(png: Uint8Array): Uint8Array<ArrayBuffer> {
  const large = new Uint8Array(png);
  const view = new DataView(large.buffer);
  for (const at of [16, 20]) view.setUint32(at, 200_000);
  return large;
}

/** Images of one client, which nobody else sends. */
async function imagesOf(client: number): Promise<Upload[]> {
  return Promise.all(
    Array.from({ length: 4 }, async (_, index) => {
      const format = index % 2 === 0 ? 'jpeg' : 'png';
      const image = await noiseImage(100 * client + index + seed, 40 + 9 * index, 36 + client, format);
      return { name: `${client}-${index}.${format}`, content: new Uint8Array(image) };
    }),
  );
}

async function hostileImages(): Promise<Upload[]> {
  const jpeg = new Uint8Array(await noiseImage(1, 200, 200, 'jpeg'));
  const png = new Uint8Array(await sharp(jpeg).png().toBuffer());
  const text = (words: string) => new TextEncoder().encode(words);
  return [
    { name: 'cut.jpg', content: jpeg.slice(0, jpeg.length / 3) },
    { name: 'bomb.png', content: bomb(png) },
    { name: 'drawing.svg', content: text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>') },
    { name: 'archive.zip', content: text(`PK\x03\x04${'\0'.repeat(100)}`) },
    { name: '<img src=x onerror=alert(1)>.jpg', content: text('no image') },
  ];
}

/** Images whose fault libvips tells, which mixes its words up if several fail at the same time: only that they fail is sure. */
const toldByLibvips: ReadonlySet<string> = new Set(['cut.jpg', 'bomb.png']);

/** Answers without the last digits, in which batches of different sizes may differ. */
function rounded(answers: readonly Answered[]): unknown {
  const sure = answers.map((answer) =>
    'error' in answer && toldByLibvips.has(answer.image) ? { ...answer, error: 'some error' } : answer,
  );
  const text = JSON.stringify(sure, (key, value: unknown) =>
    key === 'probability' && typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value,
  );
  return JSON.parse(text);
}

function post(address: string, images: readonly Upload[]): Promise<Response> {
  const body = new FormData();
  for (const { name, content } of images) body.append('image', new Blob([content]), name);
  return fetch(`${address}/classify`, { method: 'POST', body, dispatcher });
}

/** Bytes on a connection of its own, which is then left open for a while, half sent, and broken off. */
async function breakOff(address: string, random: Random, image: Upload): Promise<void> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1').on('error', () => undefined);
  const length = image.content.length;
  socket.write(
    `POST /classify HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: ${length}\r\n\r\n`,
  );
  socket.write(image.content.subarray(0, random.integer(length)));
  await delay(random.integer(50));
  socket.destroy();
}

async function huge(address: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(address).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (more: string) => (text += more));
    socket.on('error', () => undefined).on('close', () => resolve(text));
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`);
  });
}

const manyParts = {
  headers: { 'Content-Type': 'multipart/form-data; boundary=a' },
  body: `${'--a\r\nContent-Disposition: form-data; name="image"; filename="x.jpg"\r\n\r\nx\r\n'.repeat(10_000)}--a--\r\n`,
};

async function refusedWith(response: Response, ...expected: number[]): Promise<void> {
  const { error } = (await response.json()) as { error: string };
  assert.ok(expected.includes(response.status), `${response.status}: ${error}`);
  assert.match(error, /^[A-Z][^\n]+\.$/u);
}

async function residentMegabytes(address: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`)).text();
  return Number(/^process_resident_memory_bytes (\S+)$/mu.exec(text)?.[1]) / 1e6;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

test(`${clients} clients get their own answers for ${seconds} s beside hostile ones (seed ${seed})`, async (t) => {
  const folder = await temporaryFolder(t);
  const checkpoint = await writeRandomCheckpoint(folder, { kind: 'architecture', name: 'ConvNet1' });
  const hostile = await hostileImages();
  const classifier = await loadClassifier(
    { kind: 'checkpoint', file: checkpoint },
    { engine: onnxEngine, device: 'cpu' },
  );
  const expectedOf = async (images: readonly Upload[]) => {
    const found: Answered[] = [];
    for await (const one of predictImages(classifier, images, { cropCount: 5, topK: 3 })) found.push(one);
    return found;
  };
  const server = await startServed([checkpoint, '--engine', 'onnx', '--device', 'cpu']);
  t.after(() => server.stop());
  const { address } = server;
  const counts = { answered: 0, busy: 0, hostile: 0 };
  const uploads: Upload[][] = [];
  for (let number = 0; number < clients; number++) uploads.push([...(await imagesOf(number)), ...hostile]);
  const expected = await expectedOf(uploads.flat());
  const until = performance.now() + seconds * 1000;

  async function client(own: readonly Upload[], number: number): Promise<void> {
    const random = createRandom(seed, number);
    const answerTo = new Map(own.map((upload, index) => [upload, expected[number * own.length + index]] as const));
    const classify = async () => {
      const sent = Array.from({ length: 1 + random.integer(4) }, () => pick(random, own));
      for (;;) {
        const response = await post(address, sent);
        if (response.status === 503) {
          counts.busy++;
          await refusedWith(response, 503);
          await delay(20);
          continue;
        }
        assert.equal(response.status, 200);
        const { images } = (await response.json()) as { images: Answered[] };
        assert.deepEqual(rounded(images), rounded(sent.flatMap((upload) => answerTo.get(upload) ?? [])));
        counts.answered += sent.length;
        return;
      }
    };
    const attacks = [
      () => breakOff(address, random, pick(random, own)),
      async () => {
        assert.match(await huge(address), /^(HTTP\/1\.1 431 [^]*)?$/u);
      },
      async () =>
        refusedWith(await fetch(`${address}/classify`, { method: 'POST', ...manyParts, dispatcher }), 413, 503),
      async () => refusedWith(await fetch(`${address}/classify`, { method: 'POST', body: '{}', dispatcher }), 415),
      async () =>
        refusedWith(
          await fetch(`${address}/classify?top=-1`, { method: 'POST', body: new FormData(), dispatcher }),
          400,
        ),
      async () => {
        const signal = AbortSignal.timeout(1 + random.integer(20));
        const body = pick(random, own).content;
        const headers = { 'Content-Type': 'image/jpeg' };
        await fetch(`${address}/classify`, { method: 'POST', headers, body, signal, dispatcher }).catch(
          () => undefined,
        );
      },
    ];
    while (performance.now() < until) {
      if (random.integer(3) > 0) await classify();
      else {
        await pick(random, attacks)();
        counts.hostile++;
      }
    }
  }

  const memory: number[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      memory.push(await residentMegabytes(address));
      await delay(250);
    }
  })();
  await Promise.all(uploads.map(client));
  isOver = true;
  await watch;
  await classifier.dispose();
  const quarter = Math.ceil(memory.length / 4);
  const [early, late] = [median(memory.slice(quarter, 2 * quarter)), median(memory.slice(-quarter))];
  t.diagnostic(
    `${JSON.stringify(counts)}; ${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} in the last`,
  );
  assert.ok(counts.answered > 0 && counts.hostile > 0);
  if (seconds >= leastSecondsForMemory) assert.ok(late < 1.1 * early + 20, memory.map(Math.round).join(' '));
  const last = post(address, [pick(createRandom(seed), hostile)]);
  await delay(20);
  assert.equal(await server.stop(), 0);
  // It had been accepted, or came too late.
  await last.catch(() => undefined);
});
