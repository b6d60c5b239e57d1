import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { bytes, count, duration, percent, short } from '../../charts/format.ts';
import { bestValidation, trainedSeconds } from '../../charts/runCurves.ts';
import { isLive } from './runState.ts';
import type { PageRun } from './shownRun.ts';

/** The numbers beside the charts: where the run is, how good, how fast, on what. */
export function runNumbers(run: PageRun): HTMLElement {
  return element(
    'dl',
    { class: 'numbers' },
    numbersOf(run).map(([name, value, more]) =>
      element('div', {}, [
        element('dt', {}, [name]),
        element('dd', {}, [value, more === undefined ? undefined : element('small', {}, [more])]),
      ]),
    ),
  );
}

type NamedNumber = [name: string, value: string, more?: string];

function numbersOf(run: PageRun): NamedNumber[] {
  const { curves, record } = run;
  const { start, lastStep, lastValidation } = curves;
  const step = lastStep?.step ?? record.progress?.step ?? 0;
  const totalSteps = start?.totalSteps ?? record.progress?.totalSteps;
  const epoch = lastStep?.epoch ?? record.progress?.epoch ?? 0;
  const live = isLive(run);
  return [
    [l10n.t('Epoch'), Math.min(epoch, record.config.epochs).toFixed(2), l10n.t('of {0}', record.config.epochs)],
    [l10n.t('Step'), count(step), totalSteps === undefined ? undefined : l10n.t('of {0}', count(totalSteps))],
    ...bestNumbers(run),
    lastValidation === undefined
      ? [l10n.t('Last validation'), '–', l10n.t('none yet')]
      : [
          l10n.t('Last validation'),
          percent(lastValidation.validAccuracy),
          l10n.t('loss {0}', short(lastValidation.validLoss)),
        ],
    [l10n.t('Training loss'), lastStep === undefined ? '–' : short(lastStep.loss)],
    [l10n.t('Learning rate'), short(lastStep?.learningRate ?? record.config.learningRate, 3)],
    [l10n.t('Images per second'), lastStep === undefined ? '–' : short(lastStep.imagesPerSecond, 3)],
    live && lastStep !== undefined
      ? [l10n.t('Time left'), timeLeft(lastStep), l10n.t('after {0}', duration(trainedSeconds(curves)))]
      : [l10n.t('Trained for'), duration(trainedSeconds(curves))],
    [
      l10n.t('Device'),
      lastStep?.device ?? start?.device ?? record.environment.device ?? '–',
      [start?.engine ?? record.environment.engine, record.environment.card?.name]
        .filter((part) => part !== undefined)
        .join(', ') || undefined,
    ],
    [l10n.t('Memory'), lastStep === undefined ? '–' : bytes(lastStep.memoryBytes)],
  ].map(([name, value, more]): NamedNumber =>
    more === undefined ? [name ?? '', value ?? ''] : [name ?? '', value ?? '', more],
  );
}

/** The first steps say nothing of the speed. */
function timeLeft({ secondsLeft }: { readonly secondsLeft?: number | undefined }): string {
  return secondsLeft === undefined ? '–' : duration(secondsLeft);
}

function bestNumbers({ curves, record }: PageRun): NamedNumber[] {
  const best = bestValidation(curves);
  if (best === undefined) {
    return [[l10n.t('Best so far'), record.best === undefined ? '–' : percent(record.best.validAccuracy)]];
  }
  const { validations } = curves;
  const accuracy = percent(validations.values('validAccuracy')[best] ?? NaN);
  return [[l10n.t('Best so far'), accuracy, l10n.t('at step {0}', count(validations.values('step')[best] ?? NaN))]];
}
