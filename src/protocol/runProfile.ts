import * as z from 'zod';

export const runProfileVersion = 1;

const seconds = z.number().min(0);
const count = z.number().int().min(0);

/** Time in one run of a model, summed over the kernels of a kind. */
const kernelsSchema = z.object({ name: z.string(), kernels: count, seconds });

/** Where the time of one compiled model went, as the mean of its runs after the warm-up. */
export const modelProfileSchema = z.object({
  /** What it is for: the frozen part of the network, the training step, or the validation. */
  part: z.enum(['frozen network', 'training step', 'validation']),
  /** `full` step, `accumulate` and `update` where a batch goes through in parts, `inference`. */
  purpose: z.string(),
  /** 0 for a foreign model, which takes any. */
  batchSize: count,
  /** Runs that the mean is of. */
  runs: count,
  /** From the call to its return, in the engine. */
  seconds,
  /** In kernels; on a graphics card the time to issue them. */
  kernelSeconds: seconds,
  /** The rest of `seconds`: allocation, scheduling, copies. */
  outsideSeconds: seconds,
  /** Largest memory in use by intermediate values; 0 where the engine does not say. */
  peakBytes: z.number().min(0),
  /** Seconds by what ran the kernels: `CPUExecutionProvider`. */
  providers: z.record(z.string(), seconds),
  phases: z.object({ forward: seconds, backward: seconds, update: seconds }),
  /** By the graph's operator (`conv2dWeightGradient`), the most expensive first. */
  operators: z.array(kernelsSchema),
  /** By the engine's operator (`MatMul`), the most expensive first. */
  kernels: z.array(kernelsSchema),
  /** By module of the network (`layer1.0.conv1`), the most expensive first. */
  layers: z.array(z.object({ name: z.string(), forward: seconds, backward: seconds, update: seconds })),
  /** The most expensive single kernels: `layer1.0.conv1:backward:conv2dWeightGradient:MatMul_12`. */
  slowest: z.array(z.object({ node: z.string(), kernel: z.string(), shapes: z.string(), seconds })),
});
export type ModelProfile = z.infer<typeof modelProfileSchema>;

/** Content of a run's `profile.json`, which `fivecrop train --profile` writes: where the time went. */
export const runProfileSchema = z.object({
  version: z.literal(runProfileVersion),
  engine: z.string(),
  device: z.string(),
  network: z.string(),
  method: z.string(),
  batchSize: count,
  /** Steps at the beginning that do not count, because a model's first runs are slow. */
  warmupSteps: count,
  /** Steps that the mean is of: watched, and without a validation in between. 0 where the run was too short. */
  steps: count,
  /** An average step from end to end, and its parts, which add up to it. */
  step: z.object({
    seconds,
    /** Waiting for decoded and augmented images. */
    images: seconds,
    frozenNetwork: seconds,
    trainingStep: seconds,
    /** Everything else: handing tensors over, the loop, the run's files. */
    other: seconds,
  }),
  validation: z.object({ count, seconds: seconds.describe('Of one, on average.') }),
  saving: z.object({ count, seconds: seconds.describe('Of one moment’s checkpoints, on average.') }),
  models: z.array(modelProfileSchema),
});
export type RunProfile = z.infer<typeof runProfileSchema>;
