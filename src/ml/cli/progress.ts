import { MultiBar, Presets, type SingleBar } from 'cli-progress';
import process from 'node:process';
import { visible } from '../../protocol/visibleText.ts';
import { exactDuration } from './exactDuration.ts';

/**
 * A progress bar on standard error, and lines above it. Where standard error is no terminal there is no bar, only the
 * lines. End it with `stop`.
 */
export interface Progress {
  readonly update: (done: number, total: number, note: string) => void;
  readonly line: (text: string) => void;
  readonly stop: () => void;
}

/** Lines that scroll past and nothing that moves, for files and pipes. */
function plainProgress(): Progress {
  return {
    update: () => undefined,
    line: writeLine,
    stop: () => undefined,
  };
}

function writeLine(text: string): void {
  process.stderr.write(`${visible(text)}\n`);
}

/** A bar where a person looks on, else plain lines. */
export function createProgress(isWanted: boolean): Progress {
  if (!isWanted || !process.stderr.isTTY) return plainProgress();
  const bars = new MultiBar(
    {
      format: '{bar} {value}/{total} {note}',
      stream: process.stderr,
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is ours: the command ends in good order.
      gracefulExit: false,
      barsize: 24,
    },
    Presets.shades_classic,
  );
  let bar: SingleBar | undefined;
  return {
    update: (done, total, note) => {
      bar ??= bars.create(total, done, { note });
      bar.setTotal(total);
      bar.update(done, { note });
    },
    line: (text) => (bar ? bars.log(`${visible(text)}\n`) : writeLine(text)),
    stop: () => bars.stop(),
  };
}

/** The note beside a bar over images: speed and time left, from the time since `startedAt` (milliseconds). */
export function imagesNote(done: number, total: number, startedAt: number): string {
  const seconds = (Date.now() - startedAt) / 1000;
  if (done === 0 || seconds === 0) return 'images';
  const speed = done / seconds;
  return `images, ${speed.toFixed(1)} per second, ${exactDuration((total - done) / speed)} left`;
}
