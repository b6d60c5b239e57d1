import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { isBackboneName } from '../protocol/backboneNames.ts';
import { path, text } from '../protocol/bounded.ts';
import { contradictionIn } from '../protocol/contradictions.ts';
import { cancelled, usageError, userError } from '../protocol/errors.ts';
import { networkName } from '../protocol/networkName.ts';
import { plural } from '../protocol/plural.ts';
import { type PreprocessPreset, presetConstants, preprocessPresets } from '../protocol/preprocessing.ts';
import { withRecipe } from '../protocol/recipes.ts';
import { type GivenConfig, givenConfigSchema } from '../protocol/trainingConfig.ts';
import { diskError } from '../runs/diskError.ts';
import { listRuns } from '../runs/list.ts';
import { withFileLock } from '../runs/lock.ts';
import { checkRunName, defaultRunName } from '../runs/name.ts';
import { isLive } from '../runs/state.ts';
import { dataInput } from './inputs.ts';
import { requireNetwork } from './listNetworks.ts';
import { defineTool, readsOnly } from './tool.ts';
import { dataFolder, pathInside, pathShown, presentPath, type Workplace } from './workplace.ts';

const { recipe, method, epochs, batchSize, learningRate, imageSize, earlyStop, seed, layout, ...others } =
  givenConfigSchema.omit({ $schema: true, version: true, data: true, network: true, classNames: true }).shape;

const presets = Object.keys(preprocessPresets) as PreprocessPreset[];

/** A setting as it may be given: what is left out is the recipe’s, or else the default. */
function given<Value extends z.ZodType>(setting: z.ZodDefault<Value>): z.ZodOptional<Value> {
  const usual = JSON.stringify(setting.parse(undefined));
  const about = setting.description ?? '';
  return setting.unwrap().optional().describe(`${about} If not set, ${usual}.`.trim());
}

/** Begins a training in a process of its own. */
export const trainClassifier = defineTool({
  name: 'train_classifier',
  title: 'Train Classifier',
  description:
    'Trains an image classifier on a folder of images (check it with check_data first) and returns the name of the run at once: the training goes on in a process of its own. Watch it with follow_training, end it with stop_training; when it has finished, use test_classifier and predict_images with its name. Writes a new folder for the run and changes nothing else; the user is asked first. One run trains at a time. For few images, method head on a pretrained network (resnet18, densenet169, mobilenet_v3_small) with recipe quick is a good start; network ConvNet2 with method scratch needs no download.',
  input: z.strictObject({
    data: dataInput,
    network: text(1000, 1).describe(
      'The network by its name: torchvision’s (resnet18, densenet169, mobilenet_v3_small, vit_b_16), timm’s (timm/NAME.TAG), or ConvNet1 to ConvNet3. list_networks lists them. Or an ONNX file in the workspace, by its path, or the name of one on the hub, such as dinov2-small: only a head is trained on its features.',
    ),
    preprocess: z
      .enum(presets)
      .optional()
      .describe(
        'What an ONNX file expects of its pixels: imagenet as torchvision and timm, tf from -1 to 1, caffe-bgr blue first from 0 to 255. If not set, what the file says.',
      ),
    method: given(method),
    recipe,
    epochs: given(epochs),
    batchSize: given(batchSize),
    learningRate: given(learningRate),
    imageSize,
    earlyStop,
    layout: given(layout),
    seed: given(seed),
    settings: z
      .record(text(100, 1), z.unknown())
      .optional()
      .describe(
        `Other settings by the names that they have in a .fivecrop.json file: ${Object.keys(others).join(', ')}.`,
      ),
    name: text(100, 1)
      .optional()
      .describe('Name of the run. If not set, network and method. A name that is taken gets a counter.'),
  }),
  output: z.object({
    run: z.string().describe('Name of the run, for the other tools.'),
    folder: z.string(),
    next: z.string(),
  }),
  effects: { ...readsOnly, readOnlyHint: false, idempotentHint: false, openWorldHint: true },
  prepare: async ({ data, network: given, preprocess, settings = {}, name, ...named }, context) => {
    const { workplace, engine, device, signal } = context;
    const folder = await dataFolder(workplace, data, signal);
    requireOther(settings);
    const network = await networkFrom(workplace, given, preprocess);
    const config = configFrom({ engine, device, ...settings, ...named, data: folder, network });
    const wanted = name ?? defaultRunName(networkName(network), config.method);
    checkRunName(wanted);
    const out = await runsFolderOf(workplace);
    await requireIdle(workplace);
    if (network.kind === 'architecture') await requireNetwork(network.name, context);
    const place = pathShown(workplace, freeFolder(out, wanted));
    const isHere = network.kind === 'backbone' && !isBackboneName(network.file);
    const weights =
      isHere || config.method === 'scratch' ? '' : ' Pretrained weights that are not on this machine are downloaded.';
    const title = isHere ? pathShown(workplace, network.file) : given;
    return {
      question: `Train ${title} (${config.method}, ${plural(config.epochs, 'epoch')}) on ${pathShown(workplace, folder)}, and write the run into the new folder ${place}?${weights}`,
      run: async () => {
        const begin = () => context.startTraining({ config, out, name: wanted });
        const run = basename(await beginAlone(workplace, out, begin, signal));
        return {
          run,
          folder: pathShown(workplace, join(out, run)),
          next: `Call follow_training with run ${run} until its state is finished, then test_classifier.`,
        };
      },
    };
  },
});

/** Throws a user error for what is an input of its own, or is a setting that names a place. */
function requireOther(settings: object): void {
  const wrong = Object.keys(settings).find((setting) => !Object.hasOwn(others, setting));
  if (wrong === undefined) return;
  if (Object.hasOwn(trainClassifier.input.shape, wrong)) {
    throw usageError(`${wrong} is an input of train_classifier itself: give it beside settings, not in it.`);
  }
  const known = Object.keys(others).join(', ');
  throw usageError(`train_classifier has no setting ${wrong.slice(0, 100)} in settings; there it takes ${known}.`);
}

/**
 * The network that is meant: an ONNX file, which the process that trains tries in another one first, as it does for people, or
 * one by its name. Throws a user error for a file that is not in the workspace.
 */
async function networkFrom(workplace: Workplace, given: string, preprocess: PreprocessPreset | undefined) {
  const isFile = /\.onnx$/iu.test(given);
  if (preprocess !== undefined && !isFile)
    throw usageError('preprocess is for ONNX files in the workspace: leave it out.');
  if (!isFile && !isBackboneName(given)) return { kind: 'architecture' as const, name: given };
  const file = isFile ? await presentPath(workplace, given) : given;
  return { kind: 'backbone' as const, file, ...(preprocess && { preprocessing: presetConstants(preprocess) }) };
}

function configFrom(settings: object): GivenConfig {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const parsed = givenConfigSchema.safeParse(withRecipe(given));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw usageError(
      `train_classifier cannot use ${issue?.path.join('.') ?? 'the settings'}: ${issue?.message ?? 'they are wrong'}.`,
    );
  }
  const contradiction = contradictionIn(parsed.data);
  if (contradiction !== undefined) throw usageError(contradiction);
  return parsed.data;
}

/** The folder that a run of a name gets: see `createRunFolder`. */
function freeFolder(out: string, name: string): string {
  for (let counter = 1; ; counter++) {
    const folder = join(out, counter === 1 ? name : `${name}-${counter}`);
    if (!existsSync(folder)) return folder;
  }
}

/** Where new runs go. */
async function runsFolderOf(workplace: Workplace): Promise<string> {
  const [out] = workplace.runsFolders;
  if (out === undefined) throw userError('There is no folder for runs: open a folder first.');
  return pathInside(workplace, path().parse(out));
}

/**
 * Begins a run while no other call does, in this process or another: of two at the same moment, the second sees the run of
 * the first. Throws a user error then.
 */
async function beginAlone(workplace: Workplace, out: string, begin: () => Promise<string>, signal: AbortSignal) {
  try {
    await mkdir(out, { recursive: true });
    const begun = async () => {
      await requireIdle(workplace);
      if (signal.aborted) throw cancelled();
      return begin();
    };
    return await withFileLock(join(out, '.begins.lock'), begun, signal);
  } catch (error) {
    throw diskError(error, out);
  }
}

/** Throws a user error while another run computes: agents start more than a machine can train. */
async function requireIdle({ runsFolders }: Workplace): Promise<void> {
  for (const folder of runsFolders) {
    const live = (await listRuns(folder)).runs.find(({ state }) => isLive(state));
    if (live === undefined) continue;
    const name = basename(live.folder);
    throw userError(`${name} is training: wait for its end with follow_training, or end it with stop_training.`);
  }
}
