import { networkName } from '../../../protocol/networkName.ts';
import type { Preprocessing } from '../../../protocol/preprocessing.ts';
import type { ModelProfile } from '../../../protocol/runProfile.ts';
import type { Precision, TrainingConfig } from '../../../protocol/trainingConfig.ts';
import { createImageSource } from '../../data/imageSource.ts';
import { learningPlan, type LearningPlan } from '../loop/learningPlan.ts';
import { batchCount, createLoader, type Loader, type LoaderOptions } from '../../data/loader.ts';
import type { Dataset } from '../../data/scanDataset.ts';
import { evenlySpaced } from '../../data/evenlySpaced.ts';
import type { ChosenEngine } from '../../engine/chooseEngine.ts';
import { engineVersion } from '../../engine/engineVersion.ts';
import { calibrationImages, type Engine, type TrainingState } from '../../engine/engine.ts';
import { inPrecision } from '../../engine/inPrecision.ts';
import { balancedClassWeights } from '../loop/classWeights.ts';
import { hearRequests, type TrainingControl } from './control.ts';
import type { DataCheck } from './dataCheck.ts';
import { earlyStopStart } from '../loop/earlyStop.ts';
import type { TargetOptions } from '../../operators/loss/lossTargets.ts';
import { createFeatureStore } from '../features/featureStore.ts';
import { type FrozenPart, frozenPart } from '../features/frozenPart.ts';
import { frozenKey, withSharedFeatures } from '../features/sharedFeatures.ts';
import { initialState, type LocateWeights } from './initialState.ts';
import { memoryOfMachine } from './memoryOfMachine.ts';
import type { NetworkToTrain } from './openNetwork.ts';
import { freshBatches, keptBatches, type ReadyBatches } from '../features/readyBatches.ts';
import { carryOver, positionOf, type ResumedFrom, resumedState, restoreCheckpoints } from './resumeFrom.ts';
import { headOf, type RunNetwork, runNetwork } from './runNetwork.ts';
import { trainLoader, viewsOf } from './trainLoader.ts';
import type { RunSession } from './runSession.ts';
import type { RunProfiler } from '../profile/runProfiler.ts';
import type { RunFacts } from './saver.ts';
import { asUsage } from '../../networks/asUsage.ts';
import { refuseBeyondMemory } from '../../networks/graphLimits.ts';
import type { StateDict } from '../../graph/tensor.ts';
import { slowIn8Bits } from '../../networks/slowIn8Bits.ts';
import { momentNames } from '../../operators/optimizer/optimizer.ts';
import { createStepper, optimizerOf, type Stepper } from '../loop/stepper.ts';
import type { Position } from '../loop/position.ts';
import type { LoopOptions } from '../loop/trainingLoop.ts';
import { choosePinned, createValidator } from '../loop/validator.ts';

export interface AssembleOptions {
  readonly config: TrainingConfig;
  readonly opened: NetworkToTrain;
  readonly session: RunSession;
  readonly dataset: Dataset;
  readonly control: TrainingControl;
  readonly chosen: ChosenEngine;
  readonly resumed?: ResumedFrom;
  /** Whether the run goes on in the folder that it was in. */
  readonly inPlace: boolean;
  /** Whether the dropout of the network itself takes part. */
  readonly networkDropout: boolean;
  /** Hears of the images as they are loaded. */
  readonly dataCheck: DataCheck;
  readonly locateWeights: LocateWeights;
  /** Watches where the time goes, where that was asked for. */
  readonly profiler?: RunProfiler;
  /** Folder that keeps what the frozen part makes of images, for other runs that freeze the same. */
  readonly featuresFolder?: string;
}

const megabyte = 1024 * 1024;

/** Builds everything that the loop needs: network, weights, loaders, compiled models. The session ends what it opens. */
export async function assembleRun(options: AssembleOptions): Promise<LoopOptions> {
  const { config, opened, session, dataset, control, chosen, resumed, profiler } = options;
  const { signal } = control;
  const { classes, splits } = dataset;
  const network = runNetwork(config, opened.network, classes.length, options.networkDropout);
  if (chosen.device === 'cpu') refuseTooLarge(config, network);
  const plan = learningPlan(config, network, batchCount(splits.train.length, config.batchSize));
  const { frozen, judged, stepper } = await openModels(options, network, plan);
  signal.throwIfAborted();
  const views = viewsOf(config, frozen.computes);
  const loaders = createLoaders(options, network.preprocessing, views, plan);
  if (config.frozenPrecision === 'int8')
    for await (const { images } of loaders.calibration.epoch(0)) await frozen.feeds(images);
  signal.throwIfAborted();
  const loader = profiler?.loader(loaders.train) ?? loaders.train;
  const pinned = choosePinned(splits.valid, config.pinnedImages, config.seed);
  const validate = createValidator({
    network,
    device: chosen.device,
    log: (message) => session.log(message, 'warning'),
    engine: engineFor(options, 'validation'),
    frozen: judged,
    loader: loaders.valid,
    labels: classes,
    pinned,
  });
  const licence = resumed ? resumed.checkpoint.metadata.licence : opened.licence;
  if (licence !== undefined) await session.record({ licence });
  return {
    config,
    run: session.folder.name,
    checkpoints: session.folder.checkpoints,
    facts: factsOf(options, network.preprocessing, licence),
    device: chosen.device,
    stepsPerEpoch: loaders.train.batches,
    ...(views === undefined ? {} : { views }),
    batches: views === undefined ? freshBatches(loader, frozen, config) : batchesOfViews(options, loader, frozen),
    stepper: profiler?.stepper(stepper) ?? stepper,
    validate: profiler ? (state, signal) => profiler.validating(() => validate(state, signal)) : validate,
    save: (work) => session.folder.saving(profiler ? () => profiler.saving(work) : work),
    control,
    start: await startOf(options),
    emit: session.emit,
    record: session.record,
  };
}

/** What a run computes with. */
interface RunModels {
  readonly frozen: FrozenPart;
  /** The frozen part that checkpoints are judged with: in float32, as they are used. */
  readonly judged: FrozenPart;
  readonly stepper: Stepper;
}

/** Compiles the run's models. No closure may hold the first weights and moments, so that they go once the models have theirs. */
async function openModels(options: AssembleOptions, network: RunNetwork, plan: LearningPlan): Promise<RunModels> {
  const { config, opened, session, dataset, control, chosen, resumed } = options;
  const initial: TrainingState = (resumed && resumedState(resumed, network, config, plan)) ?? {
    state: await initialState(network, config.seed, opened.firstWeights, options.locateWeights),
    optimizer: new Map(),
    step: 0,
  };
  control.signal.throwIfAborted();
  const { device } = chosen;
  const { state } = initial;
  const slow =
    config.frozenPrecision === 'int8' && device === 'cpu' ? slowIn8Bits(opened.network.reference) : undefined;
  if (slow !== undefined) session.log(slow);
  const { frozenPrecision } = config;
  const frozen = await openFrozen(options, { network, state, precision: frozenPrecision, part: 'frozen network' });
  const judged =
    frozenPrecision === 'float32'
      ? frozen
      : await openFrozen(options, { network, state, precision: 'float32', part: 'validation' });
  const stepper = await createStepper({
    engine: engineFor(options, 'training step'),
    device,
    network,
    log: (message) => session.log(message, 'warning'),
    config,
    initial,
    plan,
    epoch: resumed?.resume.epoch ?? 0,
    microBatchSize: Math.min(resumed?.resume.microBatchSize ?? config.batchSize, config.batchSize),
    targets: targetsOf(config, dataset),
  });
  session.onEnd(() => stepper.dispose());
  return { frozen, judged, stepper };
}

function engineFor({ chosen: { engine }, profiler }: AssembleOptions, part: ModelProfile['part']): Engine {
  return profiler?.engineFor(engine, part) ?? engine;
}

/** Throws a usage error where what trains does not fit into the machine's memory, before weights are fetched for it. */
function refuseTooLarge(config: TrainingConfig, { whole, trainable }: RunNetwork): void {
  const moments = momentNames(optimizerOf(config), '').length;
  asUsage(() => refuseBeyondMemory(whole(1), trainable, moments, memoryOfMachine()));
}

interface FrozenWishes {
  readonly network: RunNetwork;
  readonly state: StateDict;
  readonly precision: Precision;
  readonly part: ModelProfile['part'];
}

/** The frozen part of a run's network, which stops computing once the run is stopped; the session ends it. */
async function openFrozen(
  options: AssembleOptions,
  { network, state, precision, part }: FrozenWishes,
): Promise<FrozenPart> {
  const { opened, session, control, chosen } = options;
  const computing = await frozenPart({
    engine: inPrecision(engineFor(options, part), precision, session.log),
    device: chosen.device,
    network,
    state,
    log: (message) => session.log(message, 'warning'),
    ...(opened.backbone && { backbone: opened.backbone }),
  });
  const made = await shared(options, { network, state }, computing);
  session.onEnd(() => made.dispose());
  return {
    ...made,
    feeds: async (images) => {
      await hearRequests();
      control.signal.throwIfAborted();
      return made.feeds(images, control.signal);
    },
  };
}

/** The frozen part with what other runs made of the same images, where a folder for that is named and it can be shared. */
async function shared(
  { config, opened, session, chosen, featuresFolder }: AssembleOptions,
  { network, state }: Pick<FrozenWishes, 'network' | 'state'>,
  frozen: FrozenPart,
): Promise<FrozenPart> {
  if (featuresFolder === undefined || !frozen.computes || config.batchNorm === 'batch') return frozen;
  if (config.frozenPrecision === 'int8') {
    session.log('Features in 8 bits depend on the images that their ranges are found with, so they are not shared.');
    return frozen;
  }
  const key = frozenKey(network, state, [
    ...[chosen.engine.name, engineVersion(chosen.engine.name), chosen.device],
    ...[opened.backbone?.sha256, opened.backbone?.extractor.featuresOutput, opened.backbone?.extractor.pool],
  ]);
  return withSharedFeatures(frozen, {
    folder: featuresFolder,
    key,
    onWarning: (message) => session.log(message, 'warning'),
  });
}

function targetsOf({ labelSmoothing, classWeights }: TrainingConfig, { classes, splits }: Dataset): TargetOptions {
  const targets = { classes: classes.length, labelSmoothing };
  if (classWeights !== 'balanced') return targets;
  const labels = splits.train.map(({ classIndex }) => classIndex);
  return { ...targets, classWeights: balancedClassWeights(labels, classes.length) };
}

/** What every checkpoint of the run says of itself. */
function factsOf(
  { config, opened, session, dataset: { classes, root }, networkDropout }: AssembleOptions,
  preprocessing: Preprocessing,
  licence: string | undefined,
): RunFacts {
  return {
    network: opened.network.reference,
    ...(licence === undefined ? {} : { licence }),
    head: { ...headOf(config, classes.length), hidden: config.hidden },
    classes: [...classes],
    preprocessing,
    training: { run: session.folder.name, method: config.method, data: root, networkDropout },
  };
}

/** The network's name for people and for a run's name. */
export function nameOf({ network }: Pick<TrainingConfig, 'network'>): string {
  return networkName(network).replace(/\.onnx$/iu, '');
}

async function startOf({ resumed, inPlace, session }: AssembleOptions): Promise<Position> {
  if (!resumed) {
    const trainLoss = { sum: 0, images: 0 };
    return {
      step: 0,
      epoch: 0,
      batchInEpoch: 0,
      trainLoss,
      earlyStop: earlyStopStart,
      best: undefined,
      measuredOn: undefined,
    };
  }
  const position = positionOf(resumed.resume);
  const { folder } = session;
  const best = inPlace ? await restoreCheckpoints(resumed, folder) : await carryOver(resumed, folder);
  return { ...position, best };
}

/** Half of the memory for images and features is the features'. */
const featureShare = 0.5;

function batchesOfViews({ config, session }: AssembleOptions, loader: Loader, frozen: FrozenPart): ReadyBatches {
  const store = createFeatureStore({
    places: loader.samples.length,
    memoryBytes: config.cacheMegabytes * megabyte * featureShare,
    onWarning: (message) => session.log(message, 'warning'),
  });
  session.onEnd(() => store.dispose());
  return keptBatches(loader, frozen, store);
}

function createLoaders(
  { config, session, dataset, dataCheck }: AssembleOptions,
  preprocessing: Preprocessing,
  views: number | undefined,
  plan: LearningPlan,
) {
  const { resize, crop, interpolation, fit } = preprocessing;
  const { train, valid } = dataset.splits;
  const source = createImageSource({
    cacheBytes: config.cacheMegabytes * megabyte * (views === undefined ? 1 : 1 - featureShare),
    once: views === 1,
    onUndecodable: (file, reason) => {
      session.leaveOut(file, reason);
      dataCheck.undecodable(file);
    },
    onSketch: dataCheck.seen,
    onWarning: (message) => session.log(message, 'warning'),
  });
  session.onEnd(() => source.dispose());
  const { batchSize, seed } = config;
  const common = { batchSize, resize, crop, interpolation, fit, seed } satisfies Partial<LoaderOptions>;
  return {
    /** Images from all over the data, the same at every start: a run that goes on computes as it did before. */
    calibration: createLoader(evenlySpaced(train, calibrationImages), source, {
      ...common,
      augment: 'none',
      shuffle: false,
      replaceUndecodable: false,
    }),
    train: trainLoader({ config, preprocessing, plan, views }, train, source),
    valid: createLoader(valid, source, { ...common, augment: 'none', shuffle: false, replaceUndecodable: false }),
  };
}
