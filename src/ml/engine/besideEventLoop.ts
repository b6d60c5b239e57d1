import process from 'node:process';
import { messageOf } from '../../protocol/errors.ts';
import type { ChosenEngine } from './chooseEngine.ts';
import { machineFingerprint, recallLibrary, rememberLibrary } from './deviceMemory.ts';
import type { Engine } from './engine.ts';
import { engineVersion, packageVersion } from './engineVersion.ts';
import { checkLibrary, libraryCheckVersion } from './onnxruntime/capi/checkLibrary.ts';
import { onnxEngine } from './onnxruntime/onnxEngine.ts';
import { checkVersion } from './selfCheck.ts';

export interface BesideOptions {
  /** Makes the engine that leaves the event loop alone; may throw. */
  readonly aside: () => Engine;
  /** What it means if that cannot be had, as a clause. */
  readonly otherwise: string;
  readonly log: (sentence: string) => void;
}

/**
 * What was chosen; but where that is ONNX Runtime on the CPU, one that leaves the event loop alone, if a check, made once a
 * machine, says that it can. If not, `log` hears why.
 */
export async function besideEventLoop(
  chosen: ChosenEngine,
  { aside, otherwise, log }: BesideOptions,
): Promise<ChosenEngine> {
  if (chosen.engine !== onnxEngine || chosen.device !== 'cpu') return chosen;
  const fallback = (reason: string) => log(`ONNX Runtime is called through its binding, so ${otherwise}: ${reason}.`);
  const { reason, passing } = await whyNotAside();
  try {
    if (reason === undefined) return { ...chosen, engine: aside() };
    fallback(passing ? `${reason}; in an hour it is checked again` : reason);
  } catch (error) {
    fallback(messageOf(error));
  }
  return chosen;
}

async function whyNotAside(): Promise<{ readonly reason?: string | undefined; readonly passing: boolean }> {
  const { electron = '' } = process.versions;
  const versions = [checkVersion, libraryCheckVersion, engineVersion('onnx'), packageVersion('koffi'), electron];
  const fingerprint = machineFingerprint(versions);
  const remembered = await recallLibrary(fingerprint);
  if (remembered) return { reason: remembered.reason, passing: remembered.until !== undefined };
  const check = await checkLibrary();
  const found = check.passed ? { passing: false } : { reason: check.reason, passing: !check.lasting };
  await rememberLibrary(fingerprint, found);
  return found;
}
