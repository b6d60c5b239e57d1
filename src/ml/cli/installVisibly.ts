import { usageError, userError } from '../../protocol/errors.ts';
import type { CudaOutlook } from '../../protocol/serviceProtocol.ts';
import { megabytes } from '../../protocol/megabytes.ts';
import { cudaFolder } from '../engine/onnxruntime/cuda/installedCuda.ts';
import { installCuda, type InstallProgress, removeCuda } from '../install/installCuda.ts';
import { exactDuration } from './exactDuration.ts';
import { withInterrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { preparationLines } from './preparationLines.ts';
import { createProgress, type Progress } from './progress.ts';

/** What `fivecrop devices --install` and `--remove` know. */
export const installableParts = ['cuda'] as const;

/**
 * Installs CUDA's libraries, of which `found` says how things are with them, if the licenses were accepted, else says which
 * there are. Throws a user error where they cannot
 * be used on this machine or be had, a usage error without the acceptance, and a cancellation.
 */
export async function installCudaVisibly(found: CudaOutlook, accepted: boolean, output: Output): Promise<void> {
  if (found.state === 'impossible') throw userError(`CUDA cannot be used here: ${found.reason}.`);
  if (found.state === 'here') {
    output.print(`CUDA’s libraries are in ${cudaFolder()} already.`);
  } else {
    const { bytes, unpackedBytes, source, licences } = found;
    output.say(
      `CUDA’s libraries: ${megabytes(bytes)} from ${source}, ${megabytes(unpackedBytes)} in ${cudaFolder()}. Their licenses:`,
    );
    for (const { name, url } of licences) output.say(`  ${name}, ${url}`);
    if (!accepted) {
      throw usageError('Read the licenses. To accept them and install, run this again with --accept-licenses.');
    }
    const stopping = 'Stopping; what has arrived is kept, and the same command continues from there.';
    await withInterrupt(() => output.say(stopping), withProgress);
    output.print(`CUDA’s libraries are installed in ${cudaFolder()}. fivecrop devices checks them against the CPU.`);
  }
  output.object({ cuda: 'installed', folder: cudaFolder() });
}

async function withProgress(signal: AbortSignal): Promise<void> {
  const progress = createProgress(true);
  try {
    await installCuda({ signal, onProgress: process.stderr.isTTY ? barOf(progress) : linesOf(progress) });
  } finally {
    progress.stop();
  }
}

/** A bar in megabytes, with percent and time left. */
function barOf(progress: Progress): (now: InstallProgress) => void {
  let began = { what: '', at: 0, done: 0 };
  return ({ what, done, total }) => {
    if (began.what !== what) began = { what, at: Date.now(), done };
    const seconds = (Date.now() - began.at) / 1000;
    const fresh = done - began.done;
    const left = fresh > 0 && seconds > 1 ? `, ${exactDuration((seconds / fresh) * (total - done))} left` : '';
    const note = `MB, ${what.toLowerCase()}, ${Math.floor((100 * done) / total)} %${left}`;
    progress.update(Math.round(done / 1e6), Math.round(total / 1e6), note);
  };
}

/** Lines that say each tenth. */
function linesOf(progress: Progress): (now: InstallProgress) => void {
  const say = preparationLines(progress.line);
  return ({ what, done, total }) => say({ what: `${what} ${megabytes(total)}`, done, total });
}

/** Removes CUDA's libraries. Throws a user error where that fails. */
export async function removeCudaVisibly(output: Output): Promise<void> {
  const folder = cudaFolder();
  const removed = await removeCuda();
  output.print(removed ? `CUDA’s libraries in ${folder} are removed.` : `CUDA’s libraries are not in ${folder}.`);
  output.object({ cuda: 'absent', folder });
}
