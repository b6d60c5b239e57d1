import { messageOf } from '../../../protocol/errors.ts';
import { outOfMemory, speaksOfMemory } from '../outOfMemory.ts';

/** Runs work on a device; a failure to get memory becomes an `OutOfMemoryError`. */
export function watchMemory<Result>(device: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (speaksOfMemory(messageOf(error))) throw outOfMemory(device, error);
    throw error;
  }
}
