import { usageError, userError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import { engines } from '../engine/engines.ts';
import { type NvidiaCard, nvidiaCards } from '../engine/onnxruntime/cuda/nvidiaDriver.ts';

/** `--gpus`: all cards, or some by their numbers. */
export type CardWish = 'all' | readonly number[];

/** Reads `all` or `0,1`. Throws a usage error. */
export function parseCardWish(given: string): CardWish {
  if (given === 'all') return 'all';
  const numbers = given.split(',').map((number) => number.trim());
  if (!numbers.every((number) => /^\d{1,4}$/u.test(number)))
    throw usageError('--gpus takes all, or numbers of cards, as in --gpus 0,1.');
  if (new Set(numbers.map(Number)).size < numbers.length) throw usageError('--gpus names one of the cards twice.');
  return numbers.map(Number);
}

/**
 * The cards that are wished for, by the names that `CUDA_VISIBLE_DEVICES` takes. Where that variable is `visible` already, as
 * a scheduler sets it, those are all there are, and their numbers are places in it, as CUDA counts. Throws a user error where
 * there is none, and a usage error for a number that none has.
 */
export function chosenCards(
  wish: CardWish,
  cards: readonly NvidiaCard[] | { readonly reason: string },
  visible: string | undefined,
): readonly string[] {
  const known = knownCards(cards, visible);
  if (wish === 'all') return [...known.values()];
  return wish.map((number) => {
    const card = known.get(number);
    if (card === undefined)
      throw usageError(`--gpus: there is no card ${number}; this machine has ${[...known.keys()].join(', ')}.`);
    return card;
  });
}

function knownCards(
  cards: readonly NvidiaCard[] | { readonly reason: string },
  visible: string | undefined,
): ReadonlyMap<number, string> {
  if ('reason' in cards) throw userError(`--gpus: no card can be used: ${cards.reason}.`);
  if (visible === undefined) return new Map(cards.map(({ number, uuid }) => [number, uuid]));
  const entries = visible.split(',').map((entry) => entry.trim());
  // CUDA ends the list at the first one that is none.
  const end = entries.findIndex((entry) => !/^(?:\d+|(?:GPU|MIG)-\S+)$/u.test(entry));
  const named = end < 0 ? entries : entries.slice(0, end);
  if (named.length === 0)
    throw userError(`--gpus: CUDA_VISIBLE_DEVICES is "${visible}", which hides all cards; unset it.`);
  return new Map(named.map((entry, place) => [place, entry]));
}

/** The cards of this machine that are wished for. Throws as `chosenCards` does, and where CUDA's libraries are missing. */
export async function requireCards(wish: CardWish): Promise<readonly string[]> {
  const chosen = chosenCards(wish, await nvidiaCards(), process.env['CUDA_VISIBLE_DEVICES']);
  const devices = (await Promise.all(engines.map((engine) => engine.devices('cuda')))).flat();
  const usable = devices.filter(({ name }) => name === 'cuda');
  if (!usable.some(({ available }) => available)) {
    const reasons = usable.map(({ engine, detail }) => `${engine}: ${detail}`).join('; ');
    throw userError(`--gpus: CUDA cannot be used: ${reasons}. Install it with fivecrop devices --install cuda.`);
  }
  return chosen;
}

/** How many trials train at the same time: one per card where there are cards, else one. Throws a usage error for more than cards. */
export function trialsAtOnce(parallel: number | undefined, cards: readonly string[] | undefined): number {
  if (cards !== undefined && parallel !== undefined && parallel > cards.length)
    throw usageError(`--parallel ${parallel} is more than there are cards: one trial trains on each of ${plural(cards.length, 'card')}.`); // prettier-ignore
  return parallel ?? cards?.length ?? 1;
}
