import { usageError } from '../../protocol/errors.ts';

/** What this room throws as a `RangeError` is the user's: an unknown name, a count out of range. */
export function asUsage<Value>(make: () => Value): Value {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`${capital(error.message)}.`);
    throw error;
  }
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
