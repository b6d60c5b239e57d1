import type { RunAction } from '../../protocol/trainingPanel.ts';
import { weightsAdviceForEditor } from '../../protocol/weightsAdvice.ts';
import { relativeTo } from '../../protocol/runLog.ts';
import { element } from '../components/element.ts';
import { keepFocus } from '../components/keepFocus.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import { isLive, offeredActions, stateWord, type OfferedAction } from './runState.ts';
import type { PageRun } from './shownRun.ts';
import { setText } from '../components/setText.ts';

export type RunControls = { element: HTMLElement; show: (run: PageRun) => void };

const signs: Record<string, string> = {
  Interrupted: '⚠',
  Failed: '✖',
  Finished: '✓',
  Paused: '❚❚',
  Running: '▶',
};

type ActionText = { label: string; title: string };

const actionTexts: Record<RunAction, ActionText> = {
  pause: { label: 'Pause', title: 'Wait after this step; the process stays' },
  resume: { label: 'Resume', title: 'Continue from where the run is' },
  stop: { label: 'Stop', title: 'Finish this step, save a checkpoint and end' },
  stopNow: { label: 'Stop Now', title: 'End at once; everything learned since the last checkpoint is lost' },
  test: { label: 'Test', title: 'Test the best checkpoint on images that it was not trained on' },
  classify: { label: 'Classify', title: 'Classify images with the best checkpoint' },
  exportOnnx: { label: 'Export', title: 'Export the best checkpoint to ONNX' },
  trainAgain: { label: 'Train Again with These Settings…', title: 'Start a new run with the settings of this one' },
  openWeightsFolder: { label: 'Open Weights Folder', title: 'Put the file of the weights there, then try again' },
  setMirror: { label: 'Set Mirror…', title: 'Name a folder or an address that has the weights, and try again' },
  trainWithoutWeights: { label: 'Train Without Pretrained Weights', title: 'Start a new run from random weights' },
  configuration: { label: 'Configuration', title: 'Show the settings of this run' },
};
/** What a resume is for a run that lacks its pretrained weights. */
const tryAgain: ActionText = { label: 'Try Again', title: 'Look for the weights again and start this run again' };
/** What a resume is without a checkpoint. */
const startAgain: ActionText = { label: 'Start Again', title: 'Start this run again in its own folder' };

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
      const word = stateWord(run);
      const offered: OfferedAction[] = [...offeredActions(run), { action: 'configuration' }];
      const lines = notes(run);
      const key = JSON.stringify([run.folder, run.title, word, offered, run.usable, run.refusal, lines]);
      if (key === shown) return;
      shown = key;
      setText(name, run.title);
      state.className = `state state-${word.toLowerCase().replace('…', '')}`;
      setText(state, `${signs[word] ?? '·'} ${word}`);
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

function notes({ record, brokenOff, usable, refusal, folder, curves }: PageRun): string[] {
  const interrupted = usable
    ? 'The process of this run is gone. Resume continues from its last checkpoint.'
    : 'The process of this run ended before its first checkpoint, so it can only start again.';
  const reason = record.state === 'failed' || record.state === 'stopped' ? record.reason : undefined;
  const whole = reason && record.missing === 'weights' ? weightsAdviceForEditor(reason) : reason;
  const ended = brokenOff ? interrupted : whole && relativeTo(folder, whole);
  const lines = [ended, refusal].filter((line) => line !== undefined && line !== '');
  const warnings = [...curves.sessionWarnings, ...record.environment.fallbacks];
  return [...(lines as string[]), ...warnings.map((warning) => `⚠ ${relativeTo(folder, warning)}`)];
}
