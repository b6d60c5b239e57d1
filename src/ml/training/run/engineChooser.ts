import type { ChosenEngine, EngineWish } from '../../engine/chooseEngine.ts';

/** Chooses what computes, once for a run. Throws a user error where what was asked for is not there. */
export type EngineChooser = (wish: EngineWish) => Promise<ChosenEngine>;
