import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import type { Engine } from '../engine/engine.ts';

/** An engine and the device on it that a run computes on; `fallbacks` are sentences about what could not be had. */
export interface ChosenEngine {
  readonly engine: Engine;
  readonly device: string;
  readonly fallbacks: readonly string[];
}

/** Chooses what computes, once, before anything is loaded. Throws a user error where what was asked for is not there. */
export type EngineChooser = (wish: {
  readonly engine: TrainingConfig['engine'];
  readonly device: TrainingConfig['device'];
  readonly log: (message: string) => void;
}) => Promise<ChosenEngine>;
