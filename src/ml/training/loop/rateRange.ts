import type { LoopOptions, LoopResult } from './trainingLoop.ts';
import { hearRequests } from '../run/control.ts';
import type { RatePoint, RateRange } from '../../../protocol/dryRun.ts';
import { learningRates } from './suggestRate.ts';

/** Times the least loss so far, at which a range test ends: the network has run away, as fastai's finder has it. */
const runAway = 4;
/** Weight of the past in the running mean that is watched for that. */
const memory = 0.9;

/**
 * The steps of a learning-rate range test (Smith 2017, "Cyclical Learning Rates for Training Neural Networks"): one batch a
 * step, at a rate that grows by the same factor each time, until the last rate or until the loss has run away. Nothing is
 * validated or saved. `seen` hears of each step.
 */
export function rateRangeTest(range: RateRange, seen: (point: RatePoint) => void) {
  return async (options: LoopOptions): Promise<LoopResult> => {
    const { stepper, batches, control, start, device } = options;
    const position = { ...start };
    const rates = learningRates(range);
    let mean = 0;
    let least = Infinity;
    await stepper.enter(0);
    for (let epoch = 0; position.step < rates.length; epoch++) {
      const before = position.step;
      for await (const { feeds, labels, ownShare } of batches(epoch, 0)) {
        await hearRequests();
        control.signal.throwIfAborted();
        const learningRate = rates[position.step];
        if (learningRate === undefined) break;
        const { loss } = await stepper.take(feeds, labels, learningRate, { ownShare, signal: control.signal });
        position.step++;
        mean = memory * mean + (1 - memory) * loss;
        const settled = mean / (1 - memory ** position.step);
        least = Math.min(least, settled);
        if (!Number.isFinite(loss) || settled > runAway * least) {
          return {
            state: 'finished',
            reason: `The loss ran away at a learning rate of ${learningRate} on ${device}.`,
            position,
          };
        }
        seen({ learningRate, loss });
      }
      if (position.step === before) break;
    }
    return { state: 'finished', reason: `All ${position.step} learning rates were tried.`, position };
  };
}
