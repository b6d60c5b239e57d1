import { geluGradient, geluOperator } from './activation/gelu.ts';
import { hardSwishGradient, hardSwishOperator } from './activation/hardSwish.ts';
import { reluGradient, reluOperator } from './activation/relu.ts';
import { siluGradient, siluOperator } from './activation/silu.ts';
import { softmaxOperator } from './activation/softmax.ts';
import { conv2dOperator } from './convolution/conv2d.ts';
import { conv2dInputGradient } from './convolution/conv2dInputGradient.ts';
import { conv2dWeightGradient } from './convolution/conv2dWeightGradient.ts';
import { affineOperator } from './elementwise/affine.ts';
import {
  addOperator,
  compareOperator,
  divOperator,
  maxOperator,
  mulOperator,
  selectOperator,
  subOperator,
} from './elementwise/arithmetic.ts';
import { dropoutOperator } from './elementwise/dropout.ts';
import { normalizeOperator } from './elementwise/normalize.ts';
import {
  clipGradient,
  clipOperator,
  expOperator,
  logOperator,
  reciprocalOperator,
  sigmoidOperator,
  sqrtOperator,
  tanhOperator,
} from './elementwise/unary.ts';
import { focalLoss, focalLossGradient } from './loss/focalLoss.ts';
import { logSoftmaxLossGradient, logSoftmaxOperator, negativeLogLikelihood } from './loss/logSoftmax.ts';
import { linearInputGradient, linearOperator, linearWeightGradient } from './matmul/linear.ts';
import { matmulOperator } from './matmul/matmul.ts';
import { constantOperator } from './movement/constant.ts';
import { concatOperator } from './movement/concat.ts';
import { gatherRowsOperator, scatterRows } from './movement/gatherRows.ts';
import { flattenOperator, reshapeOperator } from './movement/reshape.ts';
import { padOperator, sliceOperator } from './movement/slice.ts';
import { transposeOperator } from './movement/transpose.ts';
import { batchNormInference, batchNormInferenceGradient } from './norm/batchNormInference.ts';
import { batchNormTraining, batchNormTrainingGradient } from './norm/batchNormTraining.ts';
import { layerNormOperator } from './norm/layerNorm.ts';
import { runningAverage } from './norm/runningAverage.ts';
import type { OperatorRecord } from './operator.ts';
import { adamUpdate } from './optimizer/adamUpdate.ts';
import { clipGradientNorm } from './optimizer/clipGradientNorm.ts';
import { gradientNorm } from './optimizer/gradientNorm.ts';
import { sgdUpdate } from './optimizer/sgdUpdate.ts';
import { averagePoolGradient, averagePoolOperator } from './pooling/averagePool.ts';
import { globalAveragePoolGradient, globalAveragePoolOperator } from './pooling/globalAveragePool.ts';
import { maxPoolGradient, maxPoolOperator } from './pooling/maxPool.ts';
import { reduceMax, reduceMean } from './reduce/meanAndMax.ts';
import { expandOperator, reduceSum } from './reduce/reduceSum.ts';
import { biasGradient } from './reduce/biasGradient.ts';

/** Every operator that a graph can hold. */
export const operators: readonly OperatorRecord[] = [
  conv2dOperator,
  conv2dInputGradient,
  conv2dWeightGradient,
  maxPoolOperator,
  maxPoolGradient,
  averagePoolOperator,
  averagePoolGradient,
  globalAveragePoolOperator,
  globalAveragePoolGradient,
  batchNormTraining,
  batchNormTrainingGradient,
  batchNormInference,
  batchNormInferenceGradient,
  runningAverage,
  layerNormOperator,
  reluOperator,
  reluGradient,
  geluOperator,
  geluGradient,
  siluOperator,
  siluGradient,
  hardSwishOperator,
  hardSwishGradient,
  softmaxOperator,
  addOperator,
  subOperator,
  mulOperator,
  divOperator,
  maxOperator,
  compareOperator,
  selectOperator,
  expOperator,
  logOperator,
  sqrtOperator,
  reciprocalOperator,
  tanhOperator,
  sigmoidOperator,
  affineOperator,
  clipOperator,
  clipGradient,
  dropoutOperator,
  normalizeOperator,
  linearOperator,
  linearInputGradient,
  linearWeightGradient,
  matmulOperator,
  concatOperator,
  sliceOperator,
  padOperator,
  reshapeOperator,
  flattenOperator,
  transposeOperator,
  gatherRowsOperator,
  scatterRows,
  constantOperator,
  expandOperator,
  reduceSum,
  reduceMean,
  reduceMax,
  biasGradient,
  logSoftmaxOperator,
  negativeLogLikelihood,
  logSoftmaxLossGradient,
  focalLoss,
  focalLossGradient,
  adamUpdate,
  sgdUpdate,
  gradientNorm,
  clipGradientNorm,
];
