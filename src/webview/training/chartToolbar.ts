import * as l10n from '@vscode/l10n';
import { element } from '../components/element.ts';
import { button, checkbox, dropdown, labelled, setDisabled } from '../components/toolkit.ts';
import type { ExportFormat } from './exportCharts.ts';
import type { ChartChoices } from '../../charts/runCharts.ts';
import { smoothingSlider } from './smoothingSlider.ts';
import { axisTexts, xAxes } from '../../charts/xAxis.ts';

export type ChartToolbarOptions = {
  choices: ChartChoices;
  onChoice: (changed: Partial<ChartChoices>) => void;
  onZoom: (towards: 'in' | 'out' | 'all') => void;
  onExport: (format: ExportFormat) => void;
};

export type ChartToolbar = {
  element: HTMLElement;
  /** Says whether a part of the axis is shown, so that there is a way back. */
  show: (zoomed: boolean) => void;
};

const formats = ['png', 'svg', 'csv'] as const;

/** What is chosen for all charts of the page. */
export function chartToolbar({ choices, onChoice, onZoom, onExport }: ChartToolbarOptions): ChartToolbar {
  const axis = dropdown(l10n.t('Horizontal axis'), (value) => {
    const chosen = xAxes.find((each) => each === value);
    if (chosen !== undefined) onChoice({ axis: chosen });
  });
  axis.update(
    xAxes.map((each) => ({ value: each, label: axisTexts[each].choice })),
    choices.axis,
  );
  const zoomIn = button({
    label: '+',
    spoken: l10n.t('Zoom in'),
    title: l10n.t('Zoom in: show less of the axis. Dragging across a chart chooses a part of it.'),
    onClick: () => onZoom('in'),
  });
  const zoomOut = button({
    label: '−',
    spoken: l10n.t('Zoom out'),
    title: l10n.t('Zoom out: show more of the axis'),
    onClick: () => onZoom('out'),
  });
  const showAll = button({
    label: l10n.t('Show all'),
    title: l10n.t('Leave the zoom (double click on a chart, or Escape)'),
    onClick: () => onZoom('all'),
  });
  const exports = formats.map((format) =>
    button({
      label: format.toUpperCase(),
      title: l10n.t('Export the curves as {0}', format.toUpperCase()),
      onClick: () => onExport(format),
    }),
  );
  const bar = element('div', { class: 'toolbar', role: 'toolbar', 'aria-label': l10n.t('Charts') }, [
    smoothingSlider(choices.smoothing, (smoothing) => onChoice({ smoothing })),
    checkbox({
      label: l10n.t('Logarithmic loss'),
      checked: choices.logScale,
      onChange: (logScale) => onChoice({ logScale }),
    }),
    labelled(l10n.t('Axis'), axis.element),
    element('span', { class: 'buttons zoom' }, [element('span', {}, [l10n.t('Zoom')]), zoomIn, zoomOut, showAll]),
    element('span', { class: 'buttons exports' }, [element('span', {}, [l10n.t('Export')]), ...exports]),
  ]);
  return {
    element: bar,
    show: (zoomed) => {
      for (const back of [zoomOut, showAll]) setDisabled(back, !zoomed);
    },
  };
}
