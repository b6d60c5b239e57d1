import { totalmem } from 'node:os';
import process from 'node:process';

/** Bytes of memory that this machine has, or that its container may use of them. */
export function memoryOfMachine(): number {
  const allowed = process.constrainedMemory();
  // 0 where nothing constrains it.
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}
