import { basename } from 'node:path';
import { networkName } from '../../protocol/networkName.ts';
import type { CheckpointMetadata } from '../../protocol/checkpointMetadata.ts';
import { duration } from '../../protocol/duration.ts';
import type { TrainingConfig } from '../../protocol/trainingConfig.ts';
import { runTitle } from '../../protocol/runTitle.ts';
import type { LiveRun } from '../trainer/liveRuns.ts';
import type { StoredRun } from '../../runs/list.ts';
import { isLive, stateName } from '../../runs/state.ts';
import { elsewhereRefusal } from '../trainer/elsewhere.ts';
import { inMarkdown } from '../plainText.ts';

/** 0.9234 -> `92.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Epochs done, of a run that may be in the middle of one: `1.3`. */
export function epochs(epoch: number): string {
  return Number.isInteger(epoch) ? String(epoch) : epoch.toFixed(1);
}

/** What stands beside a run's name in lists: `92.3 % · epoch 1.3 of 5 · running`. What the icon shows too is last. */
export function runDescription({ record, state }: StoredRun, liveEpoch?: number): string {
  const { best, config, progress } = record;
  const accuracy = best === undefined ? [] : [percent(best.validAccuracy)];
  const place = isLive(state) && elsewhereRefusal(record) !== undefined ? ['elsewhere'] : [];
  const epoch = liveEpoch ?? progress?.epoch;
  const done = epoch === undefined ? [] : [`epoch ${epochs(epoch)} of ${config.epochs}`];
  return [...accuracy, ...done, ...place, stateName(state)].join(' · ');
}

/** Markdown for the tooltip of a run. */
export function runTooltip({ record, state, folder }: StoredRun): string {
  const { config, environment, data, best, reason } = record;
  const rows: [string, string | undefined][] = [
    ['State', reason === undefined ? stateName(state) : `${stateName(state)}: ${reason}`],
    ['Network', networkName(config.network)],
    ['Method', methodOf(config)],
    [
      'Data',
      data === undefined
        ? config.data
        : `${config.data}: ${imagesOf(data.images, data.classCount ?? data.classes.length)}`,
    ],
    ['Epochs', `${epochs(record.progress?.epoch ?? 0)} of ${config.epochs}, batches of ${config.batchSize}`],
    ['Optimizer', `${config.optimizer}, learning rate ${config.learningRate}, ${config.schedule}`],
    ['Head', config.hidden.length === 0 ? 'linear' : `${config.hidden.join(', ')}, dropout ${config.dropout}`],
    ['Best', best && `${percent(best.validAccuracy)}, validation loss ${best.validLoss.toFixed(3)}, step ${best.step}`],
    ['Device', [environment.engine, environment.device].filter((part) => part !== undefined).join(', ') || undefined],
    ['Fallbacks', environment.fallbacks.join(' ') || undefined],
    ['Started', new Date(record.created).toLocaleString()],
    ['Folder', folder],
  ];
  return table(runTitle(record.name), rows);
}

function methodOf({ method, topTensors, frozenPrecision }: TrainingConfig): string {
  const name = method === 'top' ? `top ${topTensors ?? ''} tensors` : method;
  return frozenPrecision === 'float32' ? name : `${name}, frozen layers in ${frozenPrecision}`;
}

function imagesOf({ train, valid, test }: { train: number; valid: number; test: number }, classes: number): string {
  return `${classes} classes, ${train} images to train on, ${valid} for validation, ${test} for testing`;
}

/** What stands beside a checkpoint's name in the tree. */
export function checkpointDescription(metadata: CheckpointMetadata | undefined): string {
  if (metadata === undefined) return 'cannot be read';
  const { metrics, training } = metadata;
  const accuracy = metrics.validAccuracy === undefined ? [] : [percent(metrics.validAccuracy)];
  return [...accuracy, `epoch ${epochs(training.epoch)}`].join(' · ');
}

/** Markdown for the tooltip of a checkpoint. */
export function checkpointTooltip(path: string, metadata: CheckpointMetadata | undefined): string {
  if (metadata === undefined) return `${inMarkdown(path)} cannot be read: it may be damaged, or of a newer Fivecrop.`;
  const { metrics, training, network, classes, preprocessing } = metadata;
  return table(basename(path), [
    ['Network', networkName(network)],
    ['Method', training.method],
    ['Data', training.data],
    ['Classes', String(classes.length)],
    ['Step', `${training.step}, epoch ${epochs(training.epoch)}`],
    ['Validation accuracy', metrics.validAccuracy === undefined ? undefined : percent(metrics.validAccuracy)],
    ['Validation top 5', metrics.validTop5 === undefined ? undefined : percent(metrics.validTop5)],
    ['Validation loss', metrics.validLoss?.toFixed(4)],
    ['Training loss', metrics.trainLoss?.toFixed(4)],
    ['Input', inputText(preprocessing)],
    ['Written', new Date(metadata.created).toLocaleString()],
    ['File', path],
  ]);
}

function inputText({ fit = 'crop', resize, crop }: CheckpointMetadata['preprocessing']): string {
  return fit === 'crop' ? `short side ${resize}, crop ${crop}` : `whole image at ${crop}, fit ${fit}`;
}

function table(title: string, rows: readonly (readonly [string, string | undefined])[]): string {
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [`| ${name} | ${inMarkdown(value)} |`]));
  return [`**${inMarkdown(title)}**`, '', '| | |', '|:--|:--|', ...lines].join('\n');
}

/** The status bar's text for a run, and how many more there are. */
export function statusText(run: LiveRun, state: string, totalEpochs: number | undefined, others: number): string {
  const more = others === 0 ? '' : ` +${others}`;
  const { step } = run;
  if (state === 'paused') return `$(debug-pause) paused${more}`;
  if (step === undefined || state !== 'running')
    return `$(loading~spin) ${state === 'running' ? 'starting' : state}${more}`;
  const left = step.secondsLeft === undefined ? [] : [`${duration(step.secondsLeft)} left`];
  const epoch = `epoch ${epochs(step.epoch)}${totalEpochs === undefined ? '' : ` of ${totalEpochs}`}`;
  return `$(sync~spin) ${[epoch, `loss ${step.loss.toFixed(3)}`, ...left].join(' · ')}${more}`;
}
