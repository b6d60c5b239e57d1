import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { settingWords } from '../../protocol/differingSettings.ts';
import { messageOf, userError } from '../../protocol/errors.ts';
import { networkName } from '../../protocol/networkName.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import { isSweepSpace, mostTrials, parseSweepSpace, samplers } from '../../protocol/sweep.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { defaultRunName, freeSweepName, runNameOf } from '../../runs/name.ts';
import { isLive } from '../../runs/state.ts';
import { trialCount } from '../counts.ts';
import type { Parts } from '../parts.ts';
import { inLabel } from '../plainText.ts';
import { readSettings } from '../settings.ts';
import type { DataFolders } from '../trainer/dataFolders.ts';
import { findProgram } from '../trainer/findProgram.ts';
import type { LiveRuns } from '../trainer/liveRuns.ts';
import type { SpeedMemory } from '../trainer/speedMemory.ts';
import type { SweepRequest, Sweeps } from '../trainer/sweeps.ts';
import { networkOffers } from './askNetwork.ts';
import { type AskParts, dataChosen, trainingSteps } from './askTrainingChoices.ts';
import { keptChoices, rememberChoices } from './choicesMemory.ts';
import { folderFrom } from './dataArgument.ts';
import { openSettingsFile } from './editSettings.ts';
import { obtainWeights } from './obtainWeights.ts';
import { askLine, askNumber, pickItem, tickItems } from './quickQuestions.ts';
import { registerCommand } from './registerCommand.ts';
import { back, lastStep, placeAfter, type QuestionPlace, runSteps, type Step, stepOf } from './runSteps.ts';
import { runsFolder } from './runsFolder.ts';
import { settingsInWords } from './settingsInWords.ts';
import {
  baseOf,
  beginsQuick,
  fewestToHalve,
  gridSize,
  type Proposal,
  proposalsFor,
  spaceOf,
  type SweepChoices,
  type Variation,
} from './sweepSpace.ts';
import type { TrainingChoices } from './trainingChoices.ts';
import { writeTrainingConfig } from './trainingConfigFile.ts';

interface SweepParts extends Parts {
  readonly dataFolders: DataFolders;
  readonly live: LiveRuns;
  readonly speeds: SpeedMemory;
  readonly sweeps: Sweeps;
}

const title = l10n.t('New Sweep');

/** *New Sweep*. */
export function registerNewSweep(context: vscode.ExtensionContext, parts: SweepParts): vscode.Disposable {
  return registerCommand('fivecrop.newSweep', parts.log, (argument: unknown) =>
    newSweep(context, parts, folderFrom(argument)),
  );
}

async function newSweep(
  context: vscode.ExtensionContext,
  parts: SweepParts,
  folder: string | undefined,
): Promise<void> {
  const out = runsFolder(parts);
  const settings = readSettings();
  const asking = { ...parts, title, settings, offers: networkOffers(parts.service) };
  const steps = sweepSteps(asking, folder);
  const kept = keptChoices(context, settings);
  const training = folder === undefined ? kept : await dataChosen(asking, kept, folder);
  let answers: Answers = { training, sweep: firstSweepChoices };
  for (let begin = 0; ; begin = lastStep(steps, answers)) {
    answers = await runSteps(title, answers, steps, begin);
    const config = baseOf(answers.training, settings);
    const sweep = withProposals(answers.sweep, config);
    const does = await confirm(parts, config, sweep, placeAfter(title, steps, answers));
    if (does === back) continue;
    await rememberChoices(context, parts.dataFolders, answers.training);
    const stem = `sweep-${defaultRunName(networkName(config.network).replace(/\.onnx$/iu, ''), config.method)}`;
    if (does === 'edit')
      return openSettingsFile(stem, (file) => {
        const written = JSON.parse(writeTrainingConfig(config, file)) as Record<string, unknown>;
        return `${JSON.stringify(spaceOf(written, config.epochs, sweep), undefined, 2)}\n`;
      });
    const trained = await obtainWeights(parts, config);
    const space = spaceOf(trained, config.epochs, sweep);
    const { parallel, sbatch } = sweep;
    return startSweep(parts, { space, out, name: freeSweepName(out, stem), parallel, sbatch });
  }
}

interface Answers {
  readonly training: TrainingChoices;
  readonly sweep: SweepChoices;
}

/** What is ticked and offered where nobody has answered. */
const firstSweepChoices: SweepChoices = { varied: [], sampler: 'random', trials: 12, halves: true, parallel: 1 };

/**
 * The questions for a training and, counted on, for what a sweep does with it. Where the recipe `quick` fits, nobody is asked
 * for epochs and batch: they come with it.
 */
function sweepSteps(asking: AskParts, folder: string | undefined): readonly Step<Answers>[] {
  const { settings } = asking;
  const epochsOf = (training: TrainingChoices) => baseOf(training, settings).epochs;
  const step = (ask: SweepQuestion, applies: Step<Answers>['applies'] = () => true): Step<Answers> => ({
    applies,
    ask: async (answers, place) => {
      const config = baseOf(answers.training, settings);
      const sweep = await ask(withProposals(answers.sweep, config), place, config);
      return sweep === back ? back : { ...answers, sweep };
    },
  });
  const isSlurmHere = findProgram('sbatch') !== undefined;
  return [
    ...trainingSteps(asking, folder, (training) => !beginsQuick(training)).map((each) =>
      stepOf<Answers, TrainingChoices>(
        each,
        ({ training }) => training,
        (answers, training) => ({ ...answers, training }),
      ),
    ),
    step(askVaried),
    step(askSampler),
    step(askTrials, ({ sweep }) => sweep.sampler !== 'grid'),
    // Asked before there is data, on which the epochs do not depend.
    step(askHalving, ({ training }) => epochsOf({ ...training, data: training.data || '.' }) >= fewestToHalve),
    step(askPlace, () => isSlurmHere),
    step(askParallel),
  ];
}

/** The choices with what is proposed for a training: the settings that were ticked, or the first; no halving of few epochs. */
function withProposals(choices: SweepChoices, config: GivenConfig): SweepChoices {
  const proposals = proposalsFor(config);
  const ticked = proposals.filter(({ setting }) => choices.varied.some((each) => each.setting === setting));
  return {
    ...choices,
    varied: ticked.length > 0 ? ticked : proposals.slice(0, 1),
    halves: choices.halves && config.epochs >= fewestToHalve,
  };
}

type Answer = Promise<SweepChoices | typeof back>;
type SweepQuestion = (choices: SweepChoices, place: QuestionPlace, config: GivenConfig) => Answer;

interface ProposalItem extends vscode.QuickPickItem {
  readonly proposal: Proposal;
}

async function askVaried(choices: SweepChoices, place: QuestionPlace, config: GivenConfig): Answer {
  const proposals = proposalsFor(config);
  const picked = await tickItems<ProposalItem>({
    place,
    placeholder: l10n.t('Which settings to vary?'),
    items: proposals.map((proposal) => ({
      label: settingWords(proposal.setting),
      description: variationText(proposal.variation),
      proposal,
    })),
    ticked: ({ proposal }) => choices.varied.some(({ setting }) => setting === proposal.setting),
    validate: (items) => (items.length > 0 ? undefined : l10n.t('Select at least one setting to vary.')),
  });
  return picked === back ? back : { ...choices, varied: picked.map(({ proposal }) => proposal) };
}

function variationText(variation: Variation): string {
  if ('range' in variation) return l10n.t('{0} to {1}', ...variation.range);
  if ('log' in variation) return l10n.t('{0} to {1}, by the logarithm', ...variation.log);
  return variation
    .map((value) => (typeof value === 'string' ? value : JSON.stringify(value).replace('[]', l10n.t('none'))))
    .join(', ');
}

const samplerTexts: Readonly<Record<(typeof samplers)[number], readonly [label: string, detail: string]>> = {
  random: [l10n.t('Random'), l10n.t('Each trial draws its settings.')],
  sobol: [l10n.t('Sobol'), l10n.t('Spread more evenly than random.')],
  grid: [l10n.t('Grid'), l10n.t('Every combination; three values of each range.')],
};

async function askSampler(choices: SweepChoices, place: QuestionPlace): Answer {
  const picked = await pickItem<vscode.QuickPickItem & { readonly sampler: SweepChoices['sampler'] }>({
    place,
    placeholder: l10n.t('How to choose the settings of the trials?'),
    items: (show) => {
      show(
        samplers.map((sampler) => {
          const [label, detail] = samplerTexts[sampler];
          const count = sampler === 'grid' ? { description: trialCount(gridSize(choices.varied)) } : {};
          return { label, detail, sampler, ...count };
        }),
      );
      return Promise.resolve();
    },
    active: ({ sampler }) => sampler === choices.sampler,
  });
  return picked === back ? back : { ...choices, sampler: picked.sampler };
}

async function askTrials(choices: SweepChoices, place: QuestionPlace): Answer {
  const trials = await askNumber(place, l10n.t('How many trials? Each is a run.'), {
    value: choices.trials,
    most: mostTrials,
  });
  return trials === back ? back : { ...choices, trials };
}

async function askHalving(choices: SweepChoices, place: QuestionPlace): Answer {
  const picked = await pickItem<vscode.QuickPickItem & { readonly halves: boolean }>({
    place,
    placeholder: l10n.t('How long does each trial train?'),
    items: (show) => {
      show([
        {
          label: l10n.t('End Trials That Fall Behind'),
          detail: l10n.t('The best third goes on, twice. A trial that ends early keeps its checkpoint.'),
          halves: true,
        },
        { label: l10n.t('Train All Epochs'), detail: l10n.t('Every trial trains to the end.'), halves: false },
      ]);
      return Promise.resolve();
    },
    active: ({ halves }) => halves === choices.halves,
  });
  return picked === back ? back : { ...choices, halves: picked.halves };
}

const mostParallel = 64;

/** Where the trials train. On a cluster, a line more says what `sbatch` has to know. */
async function askPlace(choices: SweepChoices, place: QuestionPlace): Answer {
  const picked = await pickItem<vscode.QuickPickItem & { readonly isSlurm: boolean }>({
    place,
    placeholder: l10n.t('Where do the trials train?'),
    items: (show) => {
      show([
        { label: l10n.t('This Machine'), isSlurm: false },
        {
          label: l10n.t('Slurm'),
          detail: l10n.t('Each trial is a job of the cluster, whose machines see this folder and the images.'),
          isSlurm: true,
        },
      ]);
      return Promise.resolve();
    },
    active: ({ isSlurm }) => isSlurm === (choices.sbatch !== undefined),
  });
  if (picked === back) return back;
  if (!picked.isSlurm) return { ...choices, sbatch: undefined };
  const line = await askLine({
    place,
    prompt: l10n.t('Options of sbatch for each job, as in --partition=gpu --gpus=1 --time=4:00:00, or nothing'),
    value: choices.sbatch?.join(' ') ?? '',
    validate: (text) =>
      wordsOf(text).every((word) => /^--?[a-zA-Z]/u.test(word))
        ? undefined
        : l10n.t('Write each option with its value behind an equals sign, as in --time=4:00:00.'),
  });
  return line === back ? askPlace(choices, place) : { ...choices, sbatch: wordsOf(line) };
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/u).filter((word) => word !== '');
}

async function askParallel(choices: SweepChoices, place: QuestionPlace): Answer {
  const prompt = choices.sbatch === undefined ? parallelPrompt : l10n.t('How many trials are jobs at the same time?');
  const parallel = await askNumber(place, prompt, { value: choices.parallel, most: mostParallel });
  return parallel === back ? back : { ...choices, parallel };
}

const parallelPrompt = l10n.t('How many trials train at the same time? They share this machine and its memory.');

/** What is started, and what else trains. */
async function confirm(
  { runs }: Pick<Parts, 'runs'>,
  config: GivenConfig,
  { varied, sampler, trials }: SweepChoices,
  place: QuestionPlace,
): Promise<'start' | 'edit' | typeof back> {
  const count = trialCount(sampler === 'grid' ? gridSize(varied) : trials);
  const settings = varied.map(({ setting }) => settingWords(setting)).join(', ');
  const start = {
    label: `$(play) ${l10n.t('Start Sweep')}`,
    description: training(runs),
    detail: `${count} · ${settings} · ${settingsInWords(config)}`,
    does: 'start' as const,
  };
  const edit = {
    label: `$(settings-gear) ${l10n.t('Edit Space First')}`,
    detail: l10n.t('Opens a file with every setting and what it may be, to start from and to share.'),
    does: 'edit' as const,
  };
  const picked = await pickItem<typeof start | typeof edit>({
    place,
    placeholder: l10n.t('Start the sweep, or edit its space'),
    items: (show) => {
      show([start, edit]);
      return Promise.resolve();
    },
  });
  return picked === back ? back : picked.does;
}

function training(runs: Parts['runs']): string {
  const names = runs.runs.filter(({ state }) => isLive(state)).map(({ record }) => runTitle(record.name));
  if (names.length === 0) return '';
  return inLabel(l10n.t('beside {0}, so each is slower', names.join(', ')));
}

/** Whether the text of a `.fivecrop.json` file is that of a space. */
export function isSpace(text: string): boolean {
  try {
    return isSweepSpace(parseBoundedJson(text));
  } catch {
    return false;
  }
}

/** *Train with This File*, where it is a space: asks how many trials train at the same time, and starts the sweep. */
export async function sweepWithFile(parts: SweepParts, file: string, text: string): Promise<void> {
  const out = runsFolder(parts);
  const name = basename(file);
  try {
    parseSweepSpace(parseBoundedJson(text));
  } catch (error) {
    throw userError(l10n.t('{0} cannot be used: {1}', name, messageOf(error)), error);
  }
  const parallel = await askNumber({ title: name, step: 1, totalSteps: 1 }, parallelPrompt, {
    value: 1,
    most: mostParallel,
  });
  if (parallel === back) return;
  const stem = runNameOf(file) ?? 'sweep';
  await startSweep(parts, { space: file, out, name: freeSweepName(out, stem), parallel });
}

async function startSweep({ sweeps, panels }: SweepParts, request: SweepRequest): Promise<void> {
  const starting = { location: { viewId: 'fivecrop.checkpoints' }, title: l10n.t('Starting the sweep') };
  const folder = await vscode.window.withProgress(starting, () => sweeps.start(request));
  panels.showSweep(folder);
}
