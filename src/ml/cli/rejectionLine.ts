import { usageError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { acceptedAt, rejectThreshold, type Acceptance } from '../../protocol/rejection.ts';
import { numberOf, type OptionValues } from './configFlags.ts';

/** A threshold of the confidence below which the answer is "none of these", and what it costs. */
export interface Rejection {
  readonly targetError: number;
  /** Validation images that the threshold was chosen by. */
  readonly validationImages: number;
  /** What it does to them; absent where no threshold reaches the target. */
  readonly validation?: Acceptance;
  /** What it does to the tested images, where those are others. */
  readonly tested?: Acceptance & { readonly images: number };
}

/** Chooses the threshold by one evaluation and looks at another with it; without `tested` at the same. */
export function rejectionOf(
  targetError: number,
  valid: Pick<Evaluation, 'results'>,
  tested?: Pick<Evaluation, 'results'>,
): Rejection {
  const validation = rejectThreshold(valid.results, targetError);
  const about = { targetError, validationImages: valid.results.length };
  if (!validation) return about;
  if (!tested) return { ...about, validation };
  const { results } = tested;
  return { ...about, validation, tested: { ...acceptedAt(results, validation.threshold), images: results.length } };
}

/** What `fivecrop test --target-error` says of it. */
export function rejectionLine({ targetError, validationImages, validation, tested }: Rejection): string {
  if (!validation) {
    return `No confidence threshold reaches an error of ${targetError} on the ${validationImages} validation images, since the most confident predictions are wrong too.`;
  }
  const share = ({ accepted, error }: Acceptance, images: number) =>
    `${accepted} of ${images}${accepted === 0 ? '' : `, error ${error.toFixed(3)}`}`;
  const also = tested ? `; tested images: ${share(tested, tested.images)}` : '';
  return `For an error of ${targetError} accept a confidence of ${roundedThreshold(validation.threshold)} or more. Accepted validation images: ${share(validation, validationImages)}${also}`;
}

/** Up, so that the threshold as it is read accepts no more than the one that was chosen. */
export function roundedThreshold(threshold: number): string {
  return (Math.ceil(threshold * 1e6) / 1e6).toFixed(6);
}

/** The share that `--target-error` says. Throws a usage error for what is none. */
export function targetErrorFrom({ targetError }: OptionValues): number | undefined {
  if (typeof targetError !== 'string') return undefined;
  const share = numberOf('--target-error', targetError);
  if (share >= 0 && share < 1) return share;
  throw usageError(`--target-error takes a share from 0 to below 1, not ${targetError}.`);
}
