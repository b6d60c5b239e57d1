import { basename } from 'node:path';
import * as z from 'zod';
import { userError } from '../../protocol/errors.ts';
import { askProcess, type ProcessReply } from '../engine/askProcess.ts';
import { engineVersion } from '../engine/engineVersion.ts';
import type { ForeignUse, OnnxFile } from './foreignModel.ts';
import { rememberTried, wasTried } from './triedModels.ts';

/** What the process of a trial is asked; see modelTrialProcess.ts. */
export interface TrialWish {
  readonly file: string;
  /** Of the bytes that are meant. */
  readonly sha256: string;
  readonly use: ForeignUse;
  /** Side of the images, in pixels, for a model that takes any. */
  readonly imageSize: number;
  /** Memory in bytes, and seconds of processor time, at which the process ends itself. */
  readonly memory: number;
  readonly seconds: number;
}

const answerSchema = z.union([z.object({ done: z.literal(true) }), z.object({ problem: z.string() })]);
export type TrialAnswer = z.infer<typeof answerSchema>;

/** The signals by which the process ends itself, and by which it is known why. */
export const endsBy = { memory: 'SIGKILL', time: 'SIGTERM' } as const;

/** Changes with what a trial does. */
const trialVersion = 1;

const gigabyte = 2 ** 30;
/**
 * Processor time of all threads that is allowed to any file; a large one has some more, and more memory. A second or two are
 * enough for most, ten times as much on a slow machine; what hangs takes any number.
 */
const processorSeconds = 60;
const bytesPerSecond = 8 * 2 ** 20;
const memoryPerByte = 4;
/** So many times as long may it take by the clock, on a machine that has others to serve, or waits for its disk. */
const patience = 10;

/**
 * Opens a foreign ONNX file and runs it once in a process of its own, with limits of processor time and memory: a model can
 * make ONNX Runtime crash, run without end or take all memory, and here it takes only that process down. A file that can
 * be used is tried once. Throws a user error that names the file where it cannot.
 */
export async function tryModel(
  { file, bytes, sha256 }: OnnxFile,
  use: ForeignUse,
  imageSize: number,
  allowed = processorSeconds,
): Promise<void> {
  const size = bytes.byteLength;
  const facts = [sha256, JSON.stringify(use), imageSize, engineVersion('onnx'), trialVersion];
  if (await wasTried(facts)) return;
  const memory = gigabyte + memoryPerByte * size;
  const seconds = Math.ceil(allowed + size / bytesPerSecond);
  const answer = await answerOf({ file, sha256, use, imageSize, memory, seconds });
  if ('problem' in answer) throw userError(answer.problem);
  await rememberTried(facts);
}

async function answerOf(wish: TrialWish): Promise<TrialAnswer> {
  const name = basename(wish.file);
  const script = import.meta.url.endsWith('.ts') ? '../../../dist/ml/modelTrial.mjs' : './modelTrial.mjs';
  const reply = await askProcess(new URL(script, import.meta.url), [JSON.stringify(wish)], patience * wish.seconds);
  switch (reply.kind) {
    case 'answer':
      return (
        answerSchema.safeParse(reply.message).data ?? { problem: `${name} cannot be tried: choose another ONNX file.` }
      );
    case 'late':
      return {
        problem: `${name} was not opened and run within ${patience * wish.seconds} seconds: choose a smaller ONNX file.`,
      };
    case 'not started':
      return { problem: `${name} cannot be tried, because no process could be started: ${reply.reason}.` };
    case 'ended':
      return { problem: `${name} ${endingOf(reply, wish)}` };
  }
}

function endingOf({ code, signal }: Extract<ProcessReply, { kind: 'ended' }>, { memory, seconds }: TrialWish): string {
  switch (signal) {
    case endsBy.memory:
      return `needs more than ${(memory / gigabyte).toFixed(1)} GB of memory for one image: choose a smaller ONNX file.`;
    case endsBy.time:
      return `was not opened and run within ${seconds} seconds of processor time: choose a smaller ONNX file.`;
    default:
      return `makes ONNX Runtime end its process (${signal ?? `exit code ${String(code)}`}): choose another ONNX file.`;
  }
}
