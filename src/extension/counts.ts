import * as l10n from '@vscode/l10n';

/** `1 image`, `2 images`. */
export function imageCount(count: number): string {
  return count === 1 ? l10n.t('1 image') : l10n.t('{0} images', count);
}

/** `1 class`, `2 classes`. */
export function classCount(count: number): string {
  return count === 1 ? l10n.t('1 class') : l10n.t('{0} classes', count);
}

/** `1 epoch`, `2 epochs`. */
export function epochCount(count: number): string {
  return count === 1 ? l10n.t('1 epoch') : l10n.t('{0} epochs', count);
}

/** `1 run`, `2 runs`. */
export function runCount(count: number): string {
  return count === 1 ? l10n.t('1 run') : l10n.t('{0} runs', count);
}

/** `1 checkpoint`, `2 checkpoints`. */
export function checkpointCount(count: number): string {
  return count === 1 ? l10n.t('1 checkpoint') : l10n.t('{0} checkpoints', count);
}

/** `1 trial`, `2 trials`. */
export function trialCount(count: number): string {
  return count === 1 ? l10n.t('1 trial') : l10n.t('{0} trials', count);
}

/** `1 sweep`, `2 sweeps`. */
export function sweepCount(count: number): string {
  return count === 1 ? l10n.t('1 sweep') : l10n.t('{0} sweeps', count);
}
