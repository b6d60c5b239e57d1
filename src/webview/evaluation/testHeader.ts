import * as l10n from '@vscode/l10n';
import type { EvaluationPanelToPage } from '../../protocol/evaluationPanel.ts';
import { busyLine } from '../components/busyLine.ts';
import { element } from '../components/element.ts';
import { fileName } from '../../charts/format.ts';
import { button, dropdown, setDisabled } from '../components/toolkit.ts';
import { testedKey, type TestedData } from './chooseEvaluation.ts';
import { setText } from '../components/setText.ts';

type Progress = Extract<EvaluationPanelToPage, { type: 'progress' }>;

export type TestHeaderOptions = {
  /** The user chose what the shown test is of, by its `testedKey`. */
  onTested: (key: string) => void;
  onExport: () => void;
  onCancel: () => void;
};

export type TestHeader = {
  elements: HTMLElement[];
  draw: (shown: {
    label: string | undefined;
    /** All that was tested, and which of it is shown. */
    tested: readonly TestedData[];
    chosen: TestedData | undefined;
    /** What a reader of the figures should know of how the images were chosen. */
    notes: readonly string[];
    refusal: string | undefined;
    problem: string | undefined;
  }) => void;
  drawProgress: (progress: Progress | undefined) => void;
};

/** Which checkpoint was tested on what, how far a test is, and why none can be done. */
export function testHeader({ onTested, onExport, onCancel }: TestHeaderOptions): TestHeader {
  const title = element('h1');
  const on = element('p', { class: 'hint' });
  const selection = element('p', { class: 'hint' });
  const refusal = element('p', { class: 'notice' });
  const error = element('p', { class: 'notice error', role: 'alert' });
  const testedOn = dropdown(l10n.t('Tested on'), onTested);
  const exporting = button({ label: 'CSV', title: l10n.t('Export one row per image as CSV'), onClick: onExport });
  const busy = busyLine(onCancel);
  return {
    elements: [
      element('header', { class: 'toolbar' }, [title, testedOn.element, exporting, busy.element]),
      on,
      selection,
      refusal,
      error,
    ],
    draw: ({ label, tested, chosen, notes, refusal: refused, problem }) => {
      setText(title, label ?? l10n.t('Test'));
      testedOn.element.hidden = tested.length < 2;
      testedOn.update(
        tested.map((each) => ({
          value: testedKey(each),
          label: l10n.t('{0} of {1}', each.split, fileName(each.data)),
        })),
        chosen === undefined ? '' : testedKey(chosen),
      );
      setText(on, chosen === undefined ? '' : l10n.t('{0} images of {1}', chosen.split, chosen.data));
      setDisabled(exporting, chosen === undefined);
      show(selection, notes.length === 0 ? undefined : notes.join(' '));
      show(refusal, refused);
      show(error, problem);
    },
    drawProgress: busy.draw,
  };
}

function show(notice: HTMLElement, text: string | undefined): void {
  notice.hidden = text === undefined;
  setText(notice, text ?? '');
}
