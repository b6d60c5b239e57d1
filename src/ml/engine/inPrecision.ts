import type { Precision } from '../../protocol/trainingConfig.ts';
import type { Engine } from './engine.ts';

/** Whether an engine computes in 8 bits on a device, where that is asked for. */
export function has8Bits(engine: Pick<Engine, 'int8'>, device: string): boolean {
  return engine.int8 !== undefined && device === 'cpu';
}

/** An engine whose inference models compute in `precision`, where it can; `log` hears where it cannot. */
export function inPrecision(engine: Engine, precision: Precision, log: (sentence: string) => void): Engine {
  if (precision === 'float32') return engine;
  if (engine.int8) return engine.int8(log);
  log(`The engine ${engine.name} does not compute in 8 bits (int8), so float32 is used.`);
  return engine;
}
