import process from 'node:process';
import { messageOf } from '../../protocol/errors.ts';
import { type ChosenEngine, chooseEngine, type EngineWish } from './chooseEngine.ts';
import { machineFingerprint, recallLibrary, rememberLibrary } from './deviceMemory.ts';
import { engineVersion, packageVersion } from './engineVersion.ts';
import { checkLibrary, libraryCheckVersion } from './onnxruntime/capi/checkLibrary.ts';
import { onnxEngine, onnxEngineAside } from './onnxruntime/onnxEngine.ts';
import { checkVersion } from './selfCheck.ts';

/**
 * Chooses what trains: as `chooseEngine`, and ONNX Runtime on the CPU so that it leaves the event loop alone, where a check,
 * made once a machine, says that it can. If not, `log` hears why.
 */
export async function chooseTrainingEngine(wish: EngineWish): Promise<ChosenEngine> {
  const chosen = await chooseEngine(wish);
  if (chosen.engine !== onnxEngine || chosen.device !== 'cpu') return chosen;
  const { reason, passing } = await whyNotAside();
  try {
    if (reason === undefined) return { ...chosen, engine: onnxEngineAside() };
    wish.log(fallback(passing ? `${reason}; in an hour it is checked again` : reason));
  } catch (error) {
    wish.log(fallback(messageOf(error)));
  }
  return chosen;
}

function fallback(reason: string): string {
  return `ONNX Runtime is called through its binding, so Stop and Pause are heard after each step: ${reason}.`;
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
