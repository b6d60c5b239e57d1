import { element } from '../components/element.ts';
import { button, type ButtonOptions, setDisabled } from '../components/toolkit.ts';
import { possibleActions, stateWord, type RunAction } from './runState.ts';
import type { PageRun } from './shownRun.ts';

export type RunControls = { element: HTMLElement; show: (run: PageRun) => void };

const signs: Record<string, string> = {
  'Broken off': '⚠',
  Failed: '✖',
  Finished: '✓',
  Paused: '❚❚',
  Running: '▶',
};

/** The name and state of the run in focus, and the buttons that fit its state. */
export function runControls(
  act: (action: RunAction, folder: string) => void,
  open: (path: string) => void,
): RunControls {
  const header = element('header', { class: 'run-header' });
  let shown = '';
  return {
    element: header,
    show: (run) => {
      const { folder, record, brokenOff, refusal } = run;
      const key = JSON.stringify([
        folder,
        record.name,
        record.state,
        brokenOff,
        record.reason,
        refusal,
        record.environment.fallbacks,
      ]);
      if (key === shown) return;
      shown = key;
      const word = stateWord(record.state, brokenOff);
      const actions = possibleActions(record.state, brokenOff).map((action) =>
        button(actionButton(action, () => act(action, folder))),
      );
      for (const action of actions) setDisabled(action, refusal !== undefined);
      header.replaceChildren(
        element('h1', {}, [record.name]),
        element('span', { class: `state state-${word.toLowerCase().replace(' ', '-')}` }, [
          `${signs[word] ?? '·'} ${word}`,
        ]),
        element('span', { class: 'buttons' }, [
          ...actions,
          button({ label: 'Configuration', title: 'Open the run’s record', onClick: () => open(`${folder}/run.json`) }),
        ]),
        ...notes(run, actions.length > 0 ? refusal : undefined).map((note) => element('p', { class: 'note' }, [note])),
      );
    },
  };
}

function actionButton(action: RunAction, onClick: () => void): ButtonOptions {
  switch (action) {
    case 'pause':
      return { label: 'Pause', title: 'Wait after the present step; the process stays', onClick };
    case 'resume':
      return { label: 'Resume', title: 'Go on where the run left off', primary: true, onClick };
    case 'stop':
      return { label: 'Stop', title: 'Finish the step, save a checkpoint and end', onClick };
  }
}

function notes({ record, brokenOff }: PageRun, waits: string | undefined): string[] {
  const ended = brokenOff
    ? 'The process of this run is gone. Resume goes on from its last checkpoint.'
    : record.state === 'failed' || record.state === 'stopped'
      ? record.reason
      : undefined;
  const told = [ended, waits].filter((note) => note !== undefined);
  return [...told, ...record.environment.fallbacks.map((fallback) => `⚠ ${fallback}`)];
}
