import type { ChosenEngine } from './chooseEngine.ts';
import type { Engine } from './engine.ts';
import { throughLibrary } from './throughLibrary.ts';

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
export function besideEventLoop(chosen: ChosenEngine, { aside, otherwise, log }: BesideOptions): Promise<ChosenEngine> {
  return throughLibrary(chosen, {
    device: 'cpu',
    make: aside,
    otherwise: (reason) => log(`ONNX Runtime is called through its binding, so ${otherwise}: ${reason}.`),
  });
}
