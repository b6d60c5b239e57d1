import { createHash } from 'node:crypto';
import { cancelled } from '../../../protocol/errors.ts';
import { type FolderProof, proofFile } from '../../../protocol/exportFormat.ts';
import { onnxEngine } from '../../engine/onnxruntime/onnxEngine.ts';
import { loadClassifier } from '../../inference/loadClassifier.ts';
import type { tryModel } from '../../inference/modelTrial.ts';
import { readUsableCheckpoint } from '../../inference/usableCheckpoint.ts';
import { testImages, type WantedTests, withExpectations } from '../exportTests.ts';
import { runImages } from '../runImages.ts';
import { tensorflowPage, tensorflowScript } from '../scripts/tensorflowScript.ts';
import { tensorflowModel } from './tensorflowModel.ts';

interface TensorflowFolder {
  /** The files by their names. */
  readonly contents: ReadonlyMap<string, Uint8Array | string>;
  readonly crops: 1 | 5;
  readonly tests: FolderProof['tests'];
}

interface FolderOptions {
  readonly crops: 1 | 5;
  readonly tests: WantedTests;
  readonly signal?: AbortSignal | undefined;
  readonly trial?: typeof tryModel;
}

/** How far probabilities may be apart: graphics cards compute with fewer digits, some of them in 16 bits. */
const tolerance = 1e-3;

/**
 * A checkpoint as the files of a folder for TensorFlow.js: a graph model, a module that classifies with it, a page, and a
 * proof. Throws as `readUsableCheckpoint` and `tensorflowModel` do, and a cancellation once `signal` is aborted.
 */
export async function tensorflowFolder(file: string, options: FolderOptions): Promise<TensorflowFolder> {
  const checkpoint = await readUsableCheckpoint(file);
  const { json, shards, crops, threshold } = await tensorflowModel(file, checkpoint, options.crops);
  const files = new Map<string, Uint8Array | string>([
    ['model.json', JSON.stringify(json)],
    ...shards,
    ['classify.js', tensorflowScript],
    ['index.html', tensorflowPage],
  ]);
  const { count, ofData } = options.tests;
  const samples = ofData && count > 0 ? await runImages(file, checkpoint, 'valid', options.signal) : [];
  const images = await testImages(samples.map((image) => image.file), count, checkpoint.metadata.preprocessing.resize); // prettier-ignore
  const trial = options.trial ? { trial: options.trial } : {};
  const classifier = await loadClassifier({ kind: 'checkpoint', file }, { engine: onnxEngine, device: 'cpu' }, trial);
  try {
    const tests = await withExpectations(images, classifier, crops);
    if (options.signal?.aborted === true) throw cancelled();
    const proof = {
      version: 1 as const,
      files: Object.fromEntries([...files].map(([name, content]) => [name, sha256(content)])),
      ...(threshold === undefined ? {} : { threshold }),
      tolerance,
      tests,
    };
    files.set(proofFile, JSON.stringify({ ...proof, digest: proofDigest(proof) } satisfies FolderProof));
    return { contents: files, crops, tests };
  } finally {
    await classifier.dispose();
  }
}

/** The digest of a proof: of all but itself. */
export function proofDigest(proof: Omit<FolderProof, 'digest'>): string {
  return sha256(JSON.stringify(proof));
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}
