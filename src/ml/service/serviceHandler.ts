import { stat } from 'node:fs/promises';
import type { PublishedWeights, ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { checkData } from '../data/checkData.ts';
import { automaticChoice } from '../engine/chooseEngine.ts';
import { drawSampleDataset } from '../data/drawSampleDataset.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { cancelled, messageOf, usageError, UserError, userError } from '../../protocol/errors.ts';
import { contradictionIn } from '../../protocol/contradictions.ts';
import { findSuspects } from '../library/data.ts';
import { exportClassifier } from '../library/exporting.ts';
import { removeCalibration } from '../inference/calibrateConfidence.ts';
import { cudaBytesOnDisk, installCuda, type InstallProgress, lookForCuda, removeCuda } from '../install/installCuda.ts';
import { importDataset } from '../importing/importDataset.ts';
import type { DownloadProgress } from '../weights/download.ts';
import { offeredBackbones, offeredNetworks } from '../weights/networkOffers.ts';
import { namedBackbone } from '../weights/onnxBackbones.ts';
import { locateFile, lookForWeights, pinOfNetwork } from '../weights/locateWeights.ts';
import { defaultWeightsFolder } from '../weights/weightsPlaces.ts';
import { asUsage } from '../networks/asUsage.ts';
import { networkNames, pretrainedWeights } from '../networks/registry.ts';
import type { RequestContext, RequestHandler } from '../../protocol/requestChannel.ts';
import { answerSpeeds } from './answerSpeeds.ts';
import { assertTest } from './assertTest.ts';
import { calibrateCheckpoint } from './calibrateCheckpoint.ts';
import { createClassifierPool, loadedSource } from './classifierPool.ts';
import { createCleaner } from './cleanData.ts';
import { evaluateCheckpoint } from './evaluateCheckpoint.ts';
import { explainOne } from './explainOne.ts';
import { finishStudy } from './finishStudy.ts';
import { createLabeller } from './labelData.ts';
import { offeredDevices } from './offeredDevices.ts';
import { pictureOf } from '../data/picture.ts';
import { readResults } from '../results/readResults.ts';
import { runPage } from '../results/runPage.ts';
import { predictAll } from './predictAll.ts';
import { rareProgress } from './rareProgress.ts';
import { samplesOf } from './samplesOf.ts';
import { sizeOfData } from './sizeOfData.ts';

type RequestOf<Type extends ServiceRequestBody['type']> = Extract<ServiceRequestBody, { type: Type }>;

/** Seed of the sample data set that the editor draws, which is the command line's default. */
const sampleSeed = 0;

/** What each request does. Classifiers stay warm between requests. */
export function createServiceHandler(): RequestHandler {
  const classifiers = createClassifierPool();
  const clean = createCleaner();
  const label = createLabeller();
  return async (request, context) => {
    const { answer } = context;
    switch (request.type) {
      case 'predict':
        return predictAll(request, classifiers, context);
      case 'explain':
        return explainOne(request, classifiers, context);
      case 'evaluate':
        return evaluateCheckpoint(request, classifiers, context);
      case 'assert':
        return assertTest(request, classifiers, context);
      case 'calibrate':
        return calibrateCheckpoint(request, classifiers, context);
      case 'uncalibrate':
        return removeCalibration(request.checkpoint);
      case 'preview':
        answer({ type: 'preview', ...(await pictureOf(request.image, request.size)) });
        return;
      case 'check':
        return check(request, context);
      case 'clean':
      case 'map':
        return clean(request, context);
      case 'suspects':
        return answerSuspects(request, context);
      case 'label':
        return label(request, context);
      case 'samples':
        answer({ type: 'samples', samples: await samplesOf(request, context) });
        return;
      case 'export':
        return writeExport(request, context);
      case 'page':
        return writePage(request, context);
      case 'import':
        return importData(request, context);
      case 'study':
        return finishStudy(request, classifiers, context);
      case 'sample':
        await drawSampleDataset(request.folder, sampleSeed, rareProgress('Drawing flowers', answer));
        return;
      case 'devices':
        return answerDevices(context);
      case 'networks':
        answer({
          type: 'networks',
          networks: offeredNetworks(request.weightsFolder),
          backbones: offeredBackbones(request.weightsFolder),
          weightsFolder: request.weightsFolder ?? defaultWeightsFolder(),
        });
        return;
      case 'size':
        answer({ type: 'size', size: await sizeOfData(request) });
        return;
      case 'speeds':
        return answerSpeeds(request, context);
      case 'weights':
        return prepareWeights(request, context);
      case 'cuda':
        return changeCuda(request, context);
    }
  };
}

async function answerDevices({ signal, answer }: RequestContext): Promise<void> {
  const devices = await offeredDevices({
    signal,
    onProgress: rareProgress('Timing the same step on every device', answer),
  });
  const automatic = await automaticChoice((message) => answer({ type: 'log', level: 'info', message }));
  answer({ type: 'devices', devices, automatic });
}

/** Looks for published weights, or downloads them; that they are not to be had is an answer, not a failure. */
async function prepareWeights({ weights, fetch }: RequestOf<'weights'>, context: RequestContext): Promise<void> {
  const { signal, answer } = context;
  const report = rareProgress('Downloading', answer, 'bytes');
  const onProgress = ({ received, total }: DownloadProgress) => report(received, total);
  try {
    const files = await filesOf(weights, signal);
    if (fetch) await locateFile(files, { signal, onProgress });
    const found = fetch ? { state: 'here' as const } : await lookForWeights(files, { signal });
    answer({ type: 'weights', weights: found });
  } catch (error) {
    if (!(error instanceof UserError && error.kind === 'weights')) throw error;
    answer({ type: 'log', level: 'warning', message: `${error.message} What was tried: ${messageOf(error.cause)}` });
    answer({ type: 'weights', weights: { state: 'missing', reason: error.message } });
  }
}

/** Installs or removes CUDA's libraries, and says how things are with them. */
async function changeCuda({ action }: RequestOf<'cuda'>, { signal, answer }: RequestContext): Promise<void> {
  const reports = {
    Downloading: rareProgress('Downloading', answer, 'bytes'),
    Unpacking: rareProgress('Unpacking', answer, 'bytes'),
  };
  const onProgress = ({ what, done, total }: InstallProgress) => reports[what](done, total);
  if (action === 'install') await installCuda({ signal, onProgress });
  else if (action === 'remove') await removeCuda({ signal });
  answer({ type: 'cuda', cuda: await lookForCuda(), bytesOnDisk: await cudaBytesOnDisk() });
}

/** The hub is asked what a network is that no table lists. */
async function filesOf(weights: PublishedWeights, signal: AbortSignal): Promise<Parameters<typeof lookForWeights>[0]> {
  if (weights.kind === 'backbone') return namedBackbone(weights.name);
  const { name, set, hub } = weights;
  const pin = hub ?? (networkNames.includes(name) ? undefined : await pinOfNetwork(name, { signal }));
  return asUsage(() => pretrainedWeights(name, set, pin));
}

async function check(request: RequestOf<'check'>, { signal, answer }: RequestContext): Promise<void> {
  const { data, quick } = request;
  const contradiction = contradictionIn(request);
  if (contradiction !== undefined) throw usageError(contradiction);
  const dataset = await scanDataset(data, scanOptionsOf(request));
  const onProgress = rareProgress('Checking images', answer);
  answer({ type: 'report', report: await checkData(dataset, { decode: !quick, signal, onProgress }) });
}

async function answerSuspects(request: RequestOf<'suspects'>, { signal, answer }: RequestContext): Promise<void> {
  const { data, source, ...options } = request;
  const found = await findSuspects(data, loadedSource(source), {
    ...options,
    signal,
    onProgress: rareProgress('Computing features', answer),
    log: (message) => answer({ type: 'log', level: 'info', message }),
  });
  answer({ type: 'suspects', ...found, suspects: [...found.suspects] });
}

async function importData({ source, folder }: RequestOf<'import'>, { signal, answer }: RequestContext): Promise<void> {
  const reports = {
    Unpacking: rareProgress('Unpacking', answer, 'bytes'),
    'Importing images': rareProgress('Importing images', answer),
  };
  const onProgress = (what: keyof typeof reports, done: number, total: number) => reports[what](done, total);
  const imported = await importDataset(source, folder, { layout: 'auto', signal, onProgress });
  answer({ type: 'imported', imported });
}

async function writeExport(
  { checkpoint, output, ...wishes }: RequestOf<'export'>,
  { signal, answer }: RequestContext,
): Promise<void> {
  const there = await stat(checkpoint).catch(() => undefined);
  if (!there?.isFile()) throw userError(`There is no checkpoint ${checkpoint}; choose another.`);
  answer({ type: 'progress', what: 'Building the network', done: 0 });
  const { files, bytes, form, verification, tests } = await exportClassifier(checkpoint, output, {
    ...wishes,
    signal,
    onProgress: rareProgress('Measuring its accuracy', answer),
    log: (message) => answer({ type: 'log', level: 'warning', message }),
  });
  answer({
    type: 'exported',
    files: [...files],
    bytes,
    tests: verification?.tests ?? tests?.count ?? 0,
    ofData: verification?.ofData ?? tests?.ofData ?? 0,
    isVerified: verification !== undefined && verification.tests > 0,
    ...(form?.accuracy ? { accuracy: form.accuracy } : {}),
  });
}

async function writePage({ run, output }: RequestOf<'page'>, { signal, answer }: RequestContext): Promise<void> {
  const results = await readResults(run, (message) => answer({ type: 'log', level: 'warning', message }));
  const page = await runPage(results);
  if (signal.aborted) throw cancelled();
  await writeTextAtomically(output, page);
}
