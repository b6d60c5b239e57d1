import { stat } from 'node:fs/promises';
import type { Classifier } from '../inference/classifier.ts';

/** Classifiers that stay loaded: the present one, and the one that it is compared with. */
const keptClassifiers = 2;

interface WarmClassifier {
  readonly key: string;
  classifier?: Classifier;
  /** Ends when the last work that was handed in has. */
  busyUntil: Promise<void>;
}

export interface WantedClassifier {
  /** Two wishes with one name are for the same classifier, as long as `file` is not written anew. */
  readonly name: string;
  readonly file?: string;
  readonly load: () => Promise<Classifier>;
}

export interface WarmClassifiers {
  /** Runs `work` with a classifier, loaded if it is not there. Works with one classifier run one after the other. */
  use<Result>(wanted: WantedClassifier, work: (classifier: Classifier) => Promise<Result>): Promise<Result>;
}

/** Keeps the classifiers that were used last, and disposes the others once nobody uses them any more. */
export function createWarmClassifiers(): WarmClassifiers {
  let warm: WarmClassifier[] = [];

  function take(key: string): WarmClassifier {
    const found = warm.find((entry) => entry.key === key) ?? { key, busyUntil: Promise.resolve() };
    warm = [found, ...warm.filter((entry) => entry !== found)];
    for (const old of warm.splice(keptClassifiers)) void old.busyUntil.then(() => old.classifier?.dispose());
    return found;
  }

  return {
    use: async ({ name, file, load }, work) => {
      const entry = take(`${name} ${file === undefined ? '' : await stampOf(file)}`);
      const result = entry.busyUntil.then(async () => work((entry.classifier ??= await load())));
      entry.busyUntil = result.then(
        () => undefined,
        () => undefined,
      );
      return result;
    },
  };
}

/** Changes when a file is written anew, as `last.safetensors` is at every checkpoint. */
async function stampOf(file: string): Promise<string> {
  const info = await stat(file).catch(() => undefined);
  return info ? `${info.size} ${info.mtimeMs}` : 'absent';
}
