import process from 'node:process';
import { messageOf } from '../../protocol/errors.ts';
import type { ChosenEngine } from './chooseEngine.ts';
import { machineFingerprint, recallLibrary, rememberLibrary } from './deviceMemory.ts';
import type { Engine } from './engine.ts';
import { engineVersion, packageVersion } from './engineVersion.ts';
import { checkLibrary, type LibraryDevice, libraryCheckVersion } from './onnxruntime/capi/checkLibrary.ts';
import { onnxEngine } from './onnxruntime/onnxEngine.ts';
import { checkVersion } from './selfCheck.ts';

export interface LibraryWish {
  readonly device: LibraryDevice;
  /** Makes the engine that calls ONNX Runtime's library without its binding; may throw. */
  readonly make: () => Engine;
  /** Hears why that cannot be had. */
  readonly otherwise: (reason: string) => void;
}

/**
 * What was chosen; but where that is ONNX Runtime on `device`, an engine that calls its library without the binding, if a check,
 * made once a machine, says that it can.
 */
export async function throughLibrary(
  chosen: ChosenEngine,
  { device, make, otherwise }: LibraryWish,
): Promise<ChosenEngine> {
  if (chosen.engine !== onnxEngine || chosen.device !== device) return chosen;
  const { reason, passing } = await whyNot(device);
  try {
    if (reason === undefined) return { ...chosen, engine: make() };
    otherwise(passing ? `${reason}; in an hour it is checked again` : reason);
  } catch (error) {
    otherwise(messageOf(error));
  }
  return chosen;
}

async function whyNot(
  device: LibraryDevice,
): Promise<{ readonly reason?: string | undefined; readonly passing: boolean }> {
  const { electron = '' } = process.versions;
  const versions = [checkVersion, libraryCheckVersion, engineVersion('onnx'), packageVersion('koffi'), electron];
  const fingerprint = machineFingerprint([...versions, device]);
  const remembered = await recallLibrary(fingerprint);
  if (remembered) return { reason: remembered.reason, passing: remembered.until !== undefined };
  const check = await checkLibrary(device);
  const found = check.passed ? { passing: false } : { reason: check.reason, passing: !check.lasting };
  await rememberLibrary(fingerprint, found);
  return found;
}
