import * as l10n from '@vscode/l10n';
import type { JobStanding, RunAction } from '../../protocol/trainingPanel.ts';
import { weightsAdviceForEditor } from '../../protocol/weightsAdvice.ts';
import { relativeTo } from '../../protocol/runLog.ts';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import { isLive, offeredActions, shownState, stateWord, type OfferedAction, type ShownState } from './runState.ts';
import type { PageRun } from './shownRun.ts';
import { setText } from '../components/setText.ts';

export type RunControls = { element: HTMLElement; show: (run: PageRun) => void };

const signs: Partial<Record<ShownState, string>> = {
  interrupted: '⚠',
  failed: '✖',
  finished: '✓',
  paused: '❚❚',
  running: '▶',
};

type ActionText = { label: string; title: string };

const actionTexts: Record<RunAction, ActionText> = {
  pause: {
    label: l10n.t('Pause'),
    title: l10n.t('Wait after this step, or before it if it takes long; the process stays'),
  },
  resume: { label: l10n.t('Resume'), title: l10n.t('Continue from where the run is') },
  stop: { label: l10n.t('Stop'), title: l10n.t('Finish this step, unless it takes long, save a checkpoint and end') },
  stopNow: {
    label: l10n.t('Stop Now'),
    title: l10n.t('End at once; everything learned since the last checkpoint is lost'),
  },
  follow: {
    label: l10n.t('Follow'),
    title: l10n.t('Copy what the run makes on its machine, until it or this window ends'),
  },
  test: { label: l10n.t('Test'), title: l10n.t('Test the best checkpoint on images that it was not trained on') },
  classify: { label: l10n.t('Classify'), title: l10n.t('Classify images with the best checkpoint') },
  exportModel: { label: l10n.t('Export'), title: l10n.t('Export the best checkpoint for other programs') },
  trainAgain: {
    label: l10n.t('Train Again with These Settings…'),
    title: l10n.t('Start a new run with the settings of this one'),
  },
  openWeightsFolder: {
    label: l10n.t('Open Weights Folder'),
    title: l10n.t('Put the file of the weights there, then try again'),
  },
  setMirror: {
    label: l10n.t('Set Mirror…'),
    title: l10n.t('Name a folder or an address that has the weights, and try again'),
  },
  trainWithoutWeights: {
    label: l10n.t('Train Without Pretrained Weights'),
    title: l10n.t('Start a new run from random weights'),
  },
  configuration: { label: l10n.t('Configuration'), title: l10n.t('Show the settings of this run') },
};
/** What a resume is for a run that lacks its pretrained weights. */
const tryAgain: ActionText = {
  label: l10n.t('Try Again'),
  title: l10n.t('Look for the weights again and start this run again'),
};
/** What a resume is without a checkpoint. */
const startAgain: ActionText = {
  label: l10n.t('Start Again'),
  title: l10n.t('Start this run again in its own folder'),
};

/** The name and state of the run in focus, and the buttons that fit its state. */
export function runControls(act: (action: RunAction, run: PageRun) => void): RunControls {
  const name = element('h1');
  const state = element('span', { class: 'state' });
  const buttons = element('span', { class: 'buttons' });
  const told = element('div', { class: 'notes' });
  let shown = '';
  return {
    element: element('header', { class: 'run-header' }, [name, state, buttons, told]),
    show: (run) => {
      const now = shownState(run);
      const offered: OfferedAction[] = [...offeredActions(run), { action: 'configuration' }];
      const lines = notes(run);
      const key = JSON.stringify([run.folder, run.title, now, run.away, offered, run.usable, run.refusal, lines]);
      if (key === shown) return;
      shown = key;
      setText(name, run.title);
      state.className = `state state-${now}`;
      setText(state, `${signs[now] ?? '·'} ${stateWord(run)}`);
      keepFocus(buttons, () =>
        buttons.replaceChildren(...offered.map((each) => actionButton(each, offered, run, act))),
      );
      told.replaceChildren(...lines.map((line) => element('p', { class: 'note' }, [line])));
    },
  };
}

/** What is offered to a run that has ended is led by one button. */
function actionButton(
  { action, disabled = false }: OfferedAction,
  offered: readonly OfferedAction[],
  run: PageRun,
  act: (action: RunAction, run: PageRun) => void,
): HTMLElement {
  const leads = !isLive(run) || run.record.state === 'paused' ? action === offered[0]?.action : false;
  const text = action === 'resume' && !isLive(run) && !run.usable ? againText(run) : actionTexts[action];
  const control = button({ ...text, primary: leads, onClick: () => act(action, run) });
  setDisabled(control, disabled || (action !== 'configuration' && run.refusal !== undefined));
  return control;
}

function againText({ record }: PageRun): ActionText {
  return record.missing === 'weights' ? tryAgain : startAgain;
}

const jobNotes: Record<JobStanding, string> = {
  queued: l10n.t('This run waits for its job to begin. “Show Job Status” in its menu says why.'),
  requeued: l10n.t('This run waits for its job to go on. “Show Job Status” in its menu says why.'),
  lost: l10n.t(
    'This run gives no sign of life. “Show Job Status” in its menu says what is known of it; Resume submits it again, or continues it here.',
  ),
  unfollowed: l10n.t(
    'Nobody follows this run: it may train on its machine, or have ended there. Follow copies what it made.',
  ),
};

function notes({ record, brokenOff, job, usable, refusal, folder, curves }: PageRun): string[] {
  const interrupted = usable
    ? l10n.t('The process of this run is gone. Resume continues from its last checkpoint.')
    : l10n.t('The process of this run ended before its first checkpoint, so it can only start again.');
  const reason = record.state === 'failed' || record.state === 'stopped' ? record.reason : undefined;
  const whole = reason && record.missing === 'weights' ? weightsAdviceForEditor(reason) : reason;
  const ended = job ? jobNotes[job] : brokenOff ? interrupted : whole && relativeTo(folder, whole);
  const lines = [ended, refusal].filter((line) => line !== undefined && line !== '');
  const warnings = [...curves.sessionWarnings, ...record.environment.fallbacks];
  return [...(lines as string[]), ...warnings.map((warning) => `⚠ ${relativeTo(folder, warning)}`)];
}
