import * as l10n from '@vscode/l10n';
import type { Cleaning } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost, CleaningPanelToPage } from '../../protocol/cleaningPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import { count, images, percent } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import { button, dropdown, labelled, setDisabled } from '../components/toolkit.ts';
import { classNamesOf, editText } from './itemTexts.ts';

type Of<Type extends CleaningPanelToPage['type']> = Extract<CleaningPanelToPage, { type: Type }>;

/** Value of the list's last entry, which asks for other features. */
const another = '…another';

export type HeaderState = {
  sources: Of<'sources'> | undefined;
  progress: Of<'progress'> | undefined;
  problem: string | undefined;
  cleaning: Cleaning | undefined;
};

export type CleaningHeader = { elements: HTMLElement[]; draw: (state: HeaderState) => void };

/** Which data, by whose features, how good a head is on it, and what can be undone. */
export function cleaningHeader(
  send: (message: CleaningPanelToHost) => void,
  onUndo: () => void,
  onRedo: () => void,
): CleaningHeader {
  const title = element('h1');
  const features = dropdown(l10n.t('Features of'), (id) =>
    send(id === another ? { type: 'chooseSource' } : { type: 'source', id }),
  );
  const undo = button({ label: l10n.t('Undo'), onClick: onUndo });
  const redo = button({ label: l10n.t('Redo'), onClick: onRedo });
  const classes = [
    button({ label: l10n.t('Rename class…'), onClick: () => send({ type: 'renameClass' }) }),
    button({ label: l10n.t('Merge classes…'), onClick: () => send({ type: 'mergeClass' }) }),
  ];
  const busy = busyLine(() => send({ type: 'cancel' }));
  const figures = element('p', { class: 'figures', role: 'status' });
  const hint = element('p', { class: 'hint' });
  const error = element('p', { class: 'error-text', role: 'alert' });
  const again = button({ label: l10n.t('Try again'), onClick: () => send({ type: 'look' }) });
  const notice = element('div', { class: 'notice error' }, [error, again]);
  const tools = [labelled(l10n.t('Features of'), features.element), undo, redo, ...classes, busy.element];
  return {
    elements: [
      element('header', { class: 'top' }, [title, element('div', { class: 'toolbar' }, tools), figures, hint, notice]),
    ],
    draw: ({ sources, progress, problem, cleaning }) => {
      setText(title, sources?.label ?? '');
      const none = sources?.source === '' ? [{ value: '', label: l10n.t('Choose a network') }] : [];
      const offered = (sources?.sources ?? []).map(({ id, label, description }) => ({ value: id, label: description === '' ? label : `${label} – ${description}` })); // prettier-ignore
      features.update([...none, ...offered, { value: another, label: l10n.t('Another…') }], sources?.source ?? '');
      const name = cleaning ? classNamesOf(cleaning) : String;
      for (const [control, edit] of [
        [undo, cleaning?.undo],
        [redo, cleaning?.redo],
      ] as const) {
        setDisabled(control, edit === undefined);
        control.title = edit ? editText(edit, name) : '';
      }
      for (const control of classes) setDisabled(control, cleaning === undefined);
      busy.draw(progress);
      setText(figures, cleaning ? figuresText(cleaning) : '');
      setText(hint, cleaning ? hintText(sources?.isTrainedOnData === true) : '');
      notice.hidden = problem === undefined;
      setText(error, problem ?? '');
    },
  };
}

function hintText(isTrainedOnData: boolean): string {
  const how = l10n.t('Each image is judged by a head that is fitted to all other images, again after each change. The accuracy is over all images: those of train, valid and test.'); // prettier-ignore
  const nothingDeleted = l10n.t('Nothing is deleted: images move to other folders or onto the ignore list.');
  const tooHigh = l10n.t('The network was trained on images of this folder, so the accuracy may be too high and wrong classes may be missed.'); // prettier-ignore
  return [how, ...(isTrainedOnData ? [tooHigh] : []), nothingDeleted].join(' ');
}

function figuresText({ accuracy, images: all, estimated, edits, milliseconds }: Cleaning): string {
  const parts = [
    l10n.t('Accuracy {0} over {1}', percent(accuracy, 2), images(all)),
    estimated === 1 ? l10n.t('about 1 wrong class') : l10n.t('about {0} wrong classes', count(estimated)),
    edits === 1 ? l10n.t('1 edit') : l10n.t('{0} edits', count(edits)),
    l10n.t('{0} ms', count(milliseconds)),
  ];
  return parts.join(' · ');
}
