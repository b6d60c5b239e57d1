import { append, appendAll, buffer, imageShape, parameter } from '../../graph/builder.ts';
import type { GraphBuilder } from '../../graph/graph.ts';
import { batchNormInference } from './batchNormInference.ts';
import { batchNormTraining } from './batchNormTraining.ts';
import { runningAverage } from './runningAverage.ts';

/** Options of a batch norm, with torch's defaults. */
export interface BatchNormOptions {
  /** Added to the variance: 1e-5 by default, 1e-3 in EfficientNet. */
  readonly epsilon?: number;
  /** The share of a batch's statistic in the new running statistic: 0.1 by default. */
  readonly momentum?: number;
}

/**
 * torch's BatchNorm2d under the module name `name`. With the builder's `batchNorm: 'batch'` the graph normalises by the
 * batch's own statistics and moves the running ones by `momentum`.
 */
export function batchNorm2d(
  builder: GraphBuilder,
  name: string,
  x: string,
  { epsilon = 1e-5, momentum = 0.1 }: BatchNormOptions = {},
): string {
  const channels = [imageShape(builder, x)[1]];
  const weight = parameter(builder, `${name}.weight`, channels);
  const bias = parameter(builder, `${name}.bias`, channels);
  const mean = buffer(builder, `${name}.running_mean`, channels);
  const variance = buffer(builder, `${name}.running_var`, channels);
  if (builder.batchNorm === 'running') {
    return append(builder, batchNormInference, { epsilon }, [x, weight, bias, mean, variance]);
  }
  const [y = '', batchMean = '', , batchVariance = ''] = appendAll(builder, batchNormTraining, { epsilon }, [
    x,
    weight,
    bias,
  ]);
  builder.updates.set(mean, append(builder, runningAverage, { momentum }, [mean, batchMean]));
  builder.updates.set(variance, append(builder, runningAverage, { momentum }, [variance, batchVariance]));
  return y;
}
