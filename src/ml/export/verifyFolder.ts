import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type * as tfjs from '@tensorflow/tfjs';
import * as z from 'zod';
import { cancelled, CancelledError, messageOf, UserError, userError } from '../../protocol/errors.ts';
import { type FolderProof, folderProofSchema, type ExportTest, proofFile } from '../../protocol/exportFormat.ts';
import { readBoundedBytes, readBoundedJson } from '../../runs/boundedFile.ts';
import { activate, openRuntime } from '../engine/tensorflow/runtime.ts';
import type { TensorFlow } from '../operators/tensorflow.ts';
import { type Answer, runTests, testPixels, type Verification } from './runTests.ts';
import { tensorflowScript } from './scripts/tensorflowScript.ts';
import { proofDigest, sha256 } from './tensorflow/tensorflowFolder.ts';

/** The module that lies beside every model. */
const scriptFile = 'classify.js';
const mebibyte = 1024 * 1024;
const proofLimit = { what: 'the proof of an export', bytes: 1024 * mebibyte };
/** Weights are cut into files of 4 MiB. */
const fileLimit = { what: 'a file of an export', bytes: 64 * mebibyte };

interface VerifyOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

interface FolderVerification extends Verification {
  /** What computed: TensorFlow’s library, or TensorFlow.js in plain JavaScript. */
  readonly backend: 'tensorflow' | 'cpu';
}

/**
 * Checks that a folder for TensorFlow.js is as it was written, and runs its test images in the TensorFlow.js of this
 * machine, up to the first difference. No code of the folder is run: its `classify.js` has to be ours. Throws a user error
 * for a folder that was changed since, was not exported by this version of Fivecrop, or does not run, and a cancellation
 * once `signal` is aborted.
 */
export async function verifyFolder(
  folder: string,
  { signal, onProgress }: VerifyOptions = {},
): Promise<FolderVerification> {
  const { proof, files } = await provenFiles(folder);
  const runtime = await openRuntime('cpu');
  const { tf, backend } = runtime;
  await activate(runtime);
  try {
    const model = tf.loadGraphModelSync(tf.io.fromMemorySync(artifactsOf(files)));
    try {
      const { classify } = await ownScript();
      const answerTo = async (test: ExportTest) => {
        // Ctrl-C is heard between two images.
        await setImmediate();
        if (signal?.aborted === true) throw cancelled();
        return classify(tf, model, rgba(test));
      };
      return { ...(await runTests(proof, answerTo, onProgress)), backend };
    } finally {
      model.dispose();
    }
  } catch (error) {
    if (error instanceof UserError || error instanceof CancelledError) throw error;
    throw userError(`${folder} does not run in TensorFlow.js (${messageOf(error).split('\n', 1)[0] ?? ''}).`, error);
  }
}

type Files = ReadonlyMap<string, Uint8Array>;

/** A folder’s proof and the files that it is of, of which nothing was changed. */
async function provenFiles(folder: string): Promise<{ proof: FolderProof; files: Files }> {
  const given = await readBoundedJson(join(folder, proofFile), proofLimit).catch((error: unknown) => {
    throw userError(`${folder} has no ${proofFile} that can be read: it was not exported by this version of Fivecrop, or is damaged. Export it again.`, error); // prettier-ignore
  });
  const { data: proof } = folderProofSchema.safeParse(given);
  if (!proof) throw userError(`${folder} was exported by another version of Fivecrop: export it again.`);
  const { digest, ...proven } = proof;
  if (proofDigest(proven) !== digest) throw changed(folder, proofFile);
  const files = new Map<string, Uint8Array>();
  for (const [name, expected] of Object.entries(proof.files)) {
    if (!/^[\w-][\w.-]*$/u.test(name)) throw changed(folder, proofFile);
    const bytes = await readBoundedBytes(join(folder, name), fileLimit);
    if (sha256(bytes) !== expected) throw changed(folder, name);
    files.set(name, bytes);
  }
  // What is run in its place would say nothing of another one.
  if (proof.files[scriptFile] !== sha256(tensorflowScript)) {
    throw userError(`The ${scriptFile} of ${folder} is not that of this version of Fivecrop: export the folder again.`);
  }
  return { proof, files };
}

function changed(folder: string, name: string): Error {
  return userError(`${join(folder, name)} is not as it was exported: it was changed or damaged since. Export it again.`); // prettier-ignore
}

const manifestSchema = z.looseObject({
  weightsManifest: z.array(z.object({ paths: z.array(z.string()), weights: z.array(z.looseObject({})) })),
});

function artifactsOf(files: Files): tfjs.io.ModelArtifacts {
  const json: unknown = JSON.parse(Buffer.from(files.get('model.json') ?? []).toString('utf8'));
  const { weightsManifest, ...artifacts } = manifestSchema.parse(json);
  const shards = weightsManifest.flatMap(({ paths }) => paths).map((name) => files.get(name) ?? new Uint8Array());
  return {
    ...artifacts,
    weightSpecs: weightsManifest.flatMap(({ weights }) => weights) as unknown as tfjs.io.WeightsManifestEntry[],
    weightData: Uint8Array.from(Buffer.concat(shards)).buffer,
  };
}

interface Script {
  readonly classify: (
    tf: TensorFlow,
    model: ReturnType<TensorFlow['loadGraphModelSync']>,
    image: ReturnType<typeof rgba>,
  ) => Answer;
}

async function ownScript(): Promise<Script> {
  return (await import(`data:text/javascript,${encodeURIComponent(tensorflowScript)}`)) as Script;
}

/** A test image as a canvas gives it. */
function rgba(test: ExportTest) {
  const { width, height } = test;
  const rgb = testPixels(test);
  const data = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let at = 0; at < width * height; at++) data.set(rgb.subarray(3 * at, 3 * at + 3), 4 * at);
  return { data, width, height };
}
