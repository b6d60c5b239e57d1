import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { chooseEngine } from '../engine/chooseEngine.ts';
import type { Placement } from '../inference/graphClassifier.ts';

/** What computes. */
export interface Computing {
  /** `auto` (the default), `onnx` for ONNX Runtime, or `tensorflow`. */
  readonly engine?: TrainingConfig['engine'];
  /** `auto` (the default) is the fastest that passes a check; one by its name is taken or refused. */
  readonly device?: TrainingConfig['device'];
  /** Hears, in sentences, of choices that were made and of what could not be had. */
  readonly log?: (sentence: string) => void;
}

/** The engine and device that are asked for; `log` hears of every fallback. Throws a user error for what is not there. */
export async function choosePlacement(
  { engine = 'auto', device = 'auto', log }: Computing,
  choose = chooseEngine,
): Promise<Placement> {
  const hear = log ?? (() => undefined);
  const chosen = await choose({ engine, device, log: hear });
  for (const fallback of chosen.fallbacks) hear(fallback);
  return chosen;
}
