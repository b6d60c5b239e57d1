import * as z from 'zod';
import { namedNetwork, networkNames } from '../networks/registry.ts';
import type { SweepSpace } from '../../protocol/sweep.ts';
import { type Drawn, drawTrials } from '../sweep/drawTrials.ts';
import { maskInputs } from '../training/loop/dropoutMasks.ts';

/** The settings of the trials of a space, each as it can be meant, and none twice. Throws as `drawTrials`. */
export function drawMeantTrials(space: SweepSpace): Drawn[] {
  return drawTrials(space, (drawn) => meantTrial(space.fixed, drawn));
}

/**
 * The settings of a trial as they can be meant together: where a head without a hidden layer was drawn, and the network has
 * no dropout of its own, there is nothing to drop, and the dropout that was drawn beside it becomes 0. A run would refuse
 * another.
 */
export function meantTrial(fixed: Drawn, drawn: Drawn): Drawn {
  if (!('hidden' in drawn && 'dropout' in drawn)) return drawn;
  const { hidden, network } = { ...fixed, ...drawn };
  const isLinear = Array.isArray(hidden) && hidden.length === 0;
  return isLinear && !hasOwnDropout(network) ? { ...drawn, dropout: 0 } : drawn;
}

const namedSchema = z.object({ kind: z.literal('architecture'), name: z.string() });

/** ONNX files have none that trains, nor have networks of timm. */
function hasOwnDropout(network: unknown): boolean {
  const name = namedSchema.safeParse(network).data?.name;
  if (name === undefined || !networkNames.includes(name)) return false;
  const { graph, images } = namedNetwork(name);
  const built = graph(
    { hidden: [], dropout: 0, classes: 2 },
    { batchSize: 1, size: images.usual.crop, dropout: 'own' },
  );
  return maskInputs(built).length > 0;
}
