import * as l10n from '@vscode/l10n';
import type { Cleaning } from '../../protocol/cleaning.ts';
import type { CleaningPanelToHost } from '../../protocol/cleaningPanel.ts';
import type { FeatureSources } from '../../protocol/featurePanel.ts';
import type { EditedData } from '../components/editedData.ts';
import { element } from '../components/element.ts';
import { featureControls } from '../components/featureControls.ts';
import type { FeaturePage } from '../components/featurePage.ts';
import { count, images, percent } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import { button, setDisabled } from '../components/toolkit.ts';
import { undoButtons } from '../components/undoButtons.ts';

export type CleaningHeader = { elements: HTMLElement[]; draw: () => void };

/** Which data, by whose features, how good a head is on it, and what can be undone. */
export function cleaningHeader(
  send: (message: CleaningPanelToHost) => void,
  page: FeaturePage<FeatureSources>,
  data: EditedData<Cleaning>,
): CleaningHeader {
  const title = element('h1');
  const controls = featureControls(send);
  const undo = undoButtons(data);
  const classes = [
    button({ label: l10n.t('Rename class…'), onClick: () => send({ type: 'renameClass' }) }),
    button({ label: l10n.t('Merge classes…'), onClick: () => send({ type: 'mergeClass' }) }),
  ];
  const figures = element('p', { class: 'figures', role: 'status' });
  const hint = element('p', { class: 'hint' });
  const tools = [controls.features, ...undo.elements, ...classes, controls.busy];
  return {
    elements: [
      element('header', { class: 'top' }, [
        title,
        element('div', { class: 'toolbar' }, tools),
        figures,
        hint,
        controls.notice,
      ]),
    ],
    draw: () => {
      const { sources } = page;
      const { figures: cleaning } = data;
      setText(title, sources?.data ?? '');
      controls.draw(page);
      undo.draw();
      for (const control of classes) setDisabled(control, cleaning === undefined);
      setText(figures, cleaning ? figuresText(cleaning) : '');
      setText(hint, cleaning ? hintText(sources?.isTrainedOnData === true) : '');
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
