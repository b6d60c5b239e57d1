import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import { networkName } from '../../protocol/networkName.ts';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { duration } from '../../protocol/duration.ts';
import type { JobRecord } from '../../protocol/jobRecord.ts';
import { headDropout, type TrainingConfig } from '../../protocol/trainingConfig.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { LiveRun } from '../trainer/liveRuns.ts';
import type { StoredRun } from '../../runs/list.ts';
import { lastHeard } from '../../runs/heard.ts';
import { type DerivedRunState, isUnfollowed } from '../../runs/state.ts';
import { inMarkdown } from '../plainText.ts';
import { standingWord, stateWord } from './stateWord.ts';

/** 0.9234 -> `92.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Epochs done, of a run that may be in the middle of one: `1.3`. */
export function epochs(epoch: number): string {
  return Number.isInteger(epoch) ? String(epoch) : epoch.toFixed(1);
}

/** Characters of a run's name that leave room for its state in a narrow tree. */
const shortName = 24;

/** A run's name as the tree has it: a long one without its middle, as beginning and end tell runs apart. */
export function rowTitle(name: string): string {
  return shortTitle(runTitle(name));
}

/** A long name without its middle. */
export function shortTitle(title: string): string {
  if (title.length <= shortName) return title;
  const half = (shortName - 1) / 2;
  return `${title.slice(0, Math.ceil(half))}…${title.slice(-Math.floor(half))}`;
}

/** What stands beside a run's name in lists: `running · 92.3 % · epoch 1.3 of 5`. */
export function runDescription(run: StoredRun, liveEpoch?: number): string {
  const { record } = run;
  const { best, config, progress } = record;
  const accuracy = best === undefined ? [] : [percent(best.validAccuracy)];
  const epoch = liveEpoch ?? progress?.epoch;
  const done = epoch === undefined ? [] : [l10n.t('epoch {0} of {1}', epochs(epoch), config.epochs)];
  return [standingWord(run), ...heardText(run), ...accuracy, ...done].join(' · ');
}

/** When a run was heard of that nobody follows. */
function heardText(run: StoredRun): string[] {
  if (!isUnfollowed(run) || run.job === undefined) return [];
  return [l10n.t('last heard of {0}', new Date(lastHeard(run.folder, run.job)).toLocaleString())];
}

/** Markdown for the tooltip of a run. */
export function runTooltip(run: StoredRun): string {
  const { record, folder, job } = run;
  const { config, environment, data, best, reason } = record;
  const rows: [string, string | undefined][] = [
    [l10n.t('State'), [standingWord(run), ...heardText(run)].join(' · ') + (reason === undefined ? '' : `: ${reason}`)],
    [l10n.t('Job'), job && jobText(job)],
    [l10n.t('Network'), networkName(config.network)],
    [l10n.t('Method'), methodOf(config)],
    [
      l10n.t('Data'),
      data === undefined
        ? config.data
        : `${config.data}: ${imagesOf(data.images, data.classCount ?? data.classes.length)}`,
    ],
    [
      l10n.t('Epochs'),
      l10n.t('{0} of {1}, batches of {2}', epochs(record.progress?.epoch ?? 0), config.epochs, config.batchSize),
    ],
    [
      l10n.t('Optimizer'),
      l10n.t('{0}, learning rate {1}, {2}', config.optimizer, config.learningRate, config.schedule),
    ],
    [
      l10n.t('Head'),
      config.hidden.length === 0
        ? l10n.t('linear')
        : l10n.t('{0}, dropout {1}', config.hidden.join(', '), config.dropout ?? headDropout),
    ],
    [
      l10n.t('Best'),
      best &&
        l10n.t('{0}, validation loss {1}, step {2}', percent(best.validAccuracy), best.validLoss.toFixed(3), best.step),
    ],
    [
      l10n.t('Device'),
      [environment.engine, environment.device, environment.card?.name]
        .filter((part) => part !== undefined)
        .join(', ') || undefined,
    ],
    [l10n.t('Fallbacks'), environment.fallbacks.join(' ') || undefined],
    [l10n.t('Started'), new Date(record.created).toLocaleString()],
    [l10n.t('Folder'), folder],
  ];
  return table(runTitle(record.name), rows);
}

/** `slurm 12_3, submitted 11/30/2026, 2:50:00 AM, requeued 2 times`. */
function jobText({ scheduler, job, host, submitted, requeues = 0 }: JobRecord): string {
  const place = host === undefined ? scheduler : `${scheduler} ${host}`;
  const since = l10n.t('submitted {0}', new Date(submitted).toLocaleString());
  const again = requeues === 0 ? [] : [requeues === 1 ? l10n.t('requeued once') : l10n.t('requeued {0} times', requeues)]; // prettier-ignore
  return [`${place} ${job}`, since, ...again].join(', ');
}

function methodOf({ method, topTensors, frozenPrecision }: TrainingConfig): string {
  const name = method === 'top' ? l10n.t('top {0} tensors', topTensors ?? 0) : method;
  return frozenPrecision === 'float32' ? name : l10n.t('{0}, frozen layers in {1}', name, frozenPrecision);
}

function imagesOf({ train, valid, test }: { train: number; valid: number; test: number }, classes: number): string {
  return l10n.t(
    '{0} classes, {1} images to train on, {2} for validation, {3} for testing',
    classes,
    train,
    valid,
    test,
  );
}

/** What stands beside a checkpoint's name in the tree. */
export function checkpointDescription(metadata: CheckpointMetadata | undefined): string {
  if (metadata === undefined) return l10n.t('cannot be read');
  const { metrics, training } = metadata;
  const accuracy = metrics.validAccuracy === undefined ? [] : [percent(metrics.validAccuracy)];
  return [...accuracy, l10n.t('epoch {0}', epochs(training.epoch))].join(' · ');
}

/** Markdown for the tooltip of a checkpoint. */
export function checkpointTooltip(path: string, metadata: CheckpointMetadata | undefined): string {
  if (metadata === undefined)
    return l10n.t('{0} cannot be read: it may be damaged, or of a newer Fivecrop.', inMarkdown(path));
  const { metrics, training, network, classes, preprocessing } = metadata;
  return table(basename(path), [
    [l10n.t('Network'), networkName(network)],
    [l10n.t('Method'), training.method],
    [l10n.t('Data'), training.data],
    [l10n.t('Classes'), String(classes.length)],
    [l10n.t('Step'), l10n.t('{0}, epoch {1}', training.step, epochs(training.epoch))],
    [l10n.t('Validation accuracy'), metrics.validAccuracy === undefined ? undefined : percent(metrics.validAccuracy)],
    [l10n.t('Validation top 5'), metrics.validTop5 === undefined ? undefined : percent(metrics.validTop5)],
    [l10n.t('Validation loss'), metrics.validLoss?.toFixed(4)],
    [l10n.t('Training loss'), metrics.trainLoss?.toFixed(4)],
    [l10n.t('Input'), inputText(preprocessing)],
    [l10n.t('Written'), new Date(metadata.created).toLocaleString()],
    [l10n.t('File'), path],
  ]);
}

function inputText({ fit = 'crop', resize, crop }: CheckpointMetadata['preprocessing']): string {
  return fit === 'crop'
    ? l10n.t('short side {0}, crop {1}', resize, crop)
    : l10n.t('whole image at {0}, fit {1}', crop, fit);
}

/** Markdown of a table without a header, below its title. */
export function table(title: string, rows: readonly (readonly [string, string | undefined])[]): string {
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`| ${name} | ${inMarkdown(value)} |`]));
  return [`**${inMarkdown(title)}**`, '', '| | |', '|:--|:--|', ...lines].join('\n');
}

/** The status bar's text for a run, and how many more there are. */
export function statusText(
  run: LiveRun,
  state: DerivedRunState,
  totalEpochs: number | undefined,
  others: number,
): string {
  const more = others === 0 ? '' : ` +${others}`;
  const { step } = run;
  if (state === 'paused') return `$(debug-pause) ${stateWord(state)}${more}`;
  if (step === undefined || state !== 'running')
    return `$(loading~spin) ${state === 'running' ? l10n.t('starting') : stateWord(state)}${more}`;
  const left = step.secondsLeft === undefined ? [] : [l10n.t('{0} left', duration(step.secondsLeft))];
  const epoch =
    totalEpochs === undefined
      ? l10n.t('epoch {0}', epochs(step.epoch))
      : l10n.t('epoch {0} of {1}', epochs(step.epoch), totalEpochs);
  return `$(sync~spin) ${[epoch, l10n.t('loss {0}', step.loss.toFixed(3)), ...left].join(' · ')}${more}`;
}
