import { type LookAhead, lookAheads } from '../../protocol/dryRunPanel.ts';
import { cancelled } from '../../protocol/errors.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import type { Parts } from '../parts.ts';

/** Whether an answer to the last question of a training asks for something before it. */
export function isLookAhead(answer: unknown): answer is LookAhead {
  return lookAheads.some((each) => each === answer);
}

/**
 * Shows what the user wants to know ahead of a training, until they come back; the learning rate then, if they chose one.
 * Throws a cancellation if they close the page.
 */
export async function lookAhead(
  { panels }: Pick<Parts, 'panels'>,
  config: GivenConfig,
  first: LookAhead,
): Promise<number | undefined> {
  const answer = await panels.lookAhead(config, first);
  if (answer === undefined) throw cancelled();
  return answer.learningRate;
}

/** A configuration with a learning rate that was chosen; without one as it is. */
export function withRate(config: GivenConfig, learningRate: number | undefined): GivenConfig {
  return learningRate === undefined ? config : { ...config, learningRate };
}
