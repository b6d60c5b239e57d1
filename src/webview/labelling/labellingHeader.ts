import * as l10n from '@vscode/l10n';
import type { Labelling } from '../../protocol/labelling.ts';
import type { LabellingPanelToHost, LabellingPanelToPage } from '../../protocol/labellingPanel.ts';
import type { EditedData } from '../components/editedData.ts';
import { element } from '../components/element.ts';
import { featureControls } from '../components/featureControls.ts';
import type { FeaturePage } from '../components/featurePage.ts';
import { count, fileName, images, percent } from '../../charts/format.ts';
import { setText } from '../components/setText.ts';
import { button } from '../components/toolkit.ts';
import { undoButtons } from '../components/undoButtons.ts';
import { accuracyCurve } from './accuracyCurve.ts';

export type LabellingSources = Extract<LabellingPanelToPage, { type: 'sources' }>;

export type LabellingHeader = { elements: HTMLElement[]; draw: () => void };

/** Which images are labelled for which data, how good a head is with the labels so far, and where more images come from. */
export function labellingHeader(
  send: (message: LabellingPanelToHost) => void,
  page: FeaturePage<LabellingSources>,
  data: EditedData<Labelling>,
  onCamera: () => void,
): LabellingHeader {
  const title = element('h1');
  const controls = featureControls(send);
  const undo = undoButtons(data);
  const add = button({
    label: l10n.t('Add images…'),
    title: l10n.t('Images can also be dropped on this page, or pasted'),
    onClick: () => send({ type: 'chooseImages' }),
  });
  const camera = button({ label: l10n.t('Camera'), onClick: onCamera });
  const figures = element('p', { class: 'figures', role: 'status' });
  const hint = element('p', { class: 'hint' });
  const curve = accuracyCurve();
  const tools = [controls.features, ...undo.elements, add, camera, controls.busy];
  const texts = element('div', { class: 'told' }, [title, element('div', { class: 'toolbar' }, tools), figures, hint]);
  return {
    elements: [
      element('header', { class: 'top' }, [element('div', { class: 'head' }, [texts, curve.element]), controls.notice]),
    ],
    draw: () => {
      const { sources } = page;
      const { figures: labelling } = data;
      setText(title, sources ? l10n.t('Label {0} for {1}', fileName(sources.unlabelled), fileName(sources.data)) : '');
      title.title = sources ? `${sources.unlabelled} → ${sources.data}` : '';
      controls.draw(page);
      undo.draw();
      setText(figures, labelling ? figuresText(labelling) : '');
      setText(hint, labelling ? hintText(labelling, sources?.isTrainedOnData === true) : '');
      curve.draw(labelling?.curve ?? []);
    },
  };
}

function figuresText({ accuracy, labels, open, skipped, milliseconds }: Labelling): string {
  const parts = [
    ...(accuracy ? [accuracyText(accuracy)] : []),
    labels === 1 ? l10n.t('1 label') : l10n.t('{0} labels', count(labels)),
    l10n.t('{0} left', images(open)),
    ...(skipped > 0 ? [l10n.t('{0} of them skipped', count(skipped))] : []),
    l10n.t('{0} ms', count(milliseconds)),
  ];
  return parts.join(' · ');
}

function accuracyText({ of, images: judged, share }: NonNullable<Labelling['accuracy']>): string {
  return of === 'validation'
    ? l10n.t('Accuracy {0} over the {1} of the validation split', percent(share), images(judged))
    : l10n.t('Accuracy {0} over the {1} with labels, each judged without itself', percent(share), images(judged));
}

function hintText({ accuracy, undecodable }: Labelling, isTrainedOnData: boolean): string {
  const parts = [
    l10n.t('Images come first whose labels teach most: those of which the head is least sure and that are unlike each other. A label copies the image into the folder of its class; nothing is moved or deleted.'), // prettier-ignore
    ...(isTrainedOnData ? [l10n.t('The network was trained on images of this data, so the accuracy may be too high.')] : []), // prettier-ignore
    ...(accuracy?.of === 'leaveOneOut' && !isTrainedOnData
      ? [l10n.t('The images with labels are harder than others, so the accuracy over them is rather too low.')]
      : []),
    ...(accuracy ? [] : [l10n.t('Classes are suggested as soon as two have images.')]),
    ...(undecodable === 1 ? [l10n.t('1 image cannot be decoded and is left out.')] : []),
    ...(undecodable > 1 ? [l10n.t('{0} cannot be decoded and are left out.', images(undecodable))] : []),
  ];
  return parts.join(' ');
}
