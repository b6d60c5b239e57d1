import type { EvaluateOptions } from '../inference/evaluate.ts';
import { withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { createProgress, imagesNote } from './progress.ts';

type Listening = Required<Pick<EvaluateOptions, 'signal' | 'onProgress' | 'onLeftOut'>> & {
  readonly onNote: (note: string) => void;
};

/** Runs `work` over images with a bar of progress, its notes as lines, and a signal that Ctrl-C aborts. */
export async function imagesVisibly<Result>(
  output: Output,
  work: (listening: Listening) => Promise<Result>,
): Promise<Result> {
  const progress = createProgress(true);
  const startedAt = Date.now();
  const stopping = () => progress.line('Stopping after the current images; Ctrl-C again quits at once.');
  try {
    return await withInterrupt(stopping, (signal) =>
      work({
        signal,
        onNote: output.say,
        onProgress: (done, total) => progress.update(done, total, imagesNote(done, total, startedAt)),
        onLeftOut: (image, reason) => output.say(`${image} is left out: ${reason}`),
      }),
    );
  } finally {
    progress.stop();
  }
}
