import * as l10n from '@vscode/l10n';
import { fileName, images as imagesText } from '../../charts/format.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { FeatureMapPanelToHost, FeatureMapPanelToPage, MapTest } from '../../protocol/featureMapPanel.ts';
import type { FeatureProgress, FeatureSources } from '../../protocol/featurePanel.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { pictureStore, type Pictures } from '../components/pictures.ts';
import { onThemeChange, themeColors } from '../components/themeColors.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { colorByOf, drawnMap, fileOf, imagesAt, type DrawnMap } from './drawnMap.ts';
import { mapHeader } from './mapHeader.ts';
import { mapLegend } from './mapLegend.ts';
import { mapStage, type MapStage } from './mapStage.ts';
import { outcomeText, spokenVerdict, verdictText } from './mapTexts.ts';
import { type FeatureMapPageState, type Tool, tools } from './pageState.ts';
import { selectionAfter } from './points.ts';
import { selectionSection } from './selectionSection.ts';
import { zoomStep } from './viewport.ts';

const picturePixels = 160;

export type FeatureMapViewOptions = {
  root: HTMLElement;
  state: KeptState<FeatureMapPageState>;
  send: (message: FeatureMapPanelToHost) => void;
};

/** What the host has told, and what is drawn of it. */
type Known = {
  sources?: FeatureSources;
  progress?: FeatureProgress;
  problem?: string | undefined;
  map?: FeatureMap | undefined;
  places: Float32Array;
  tests: readonly MapTest[];
  drawn?: DrawnMap | undefined;
};

/** The page: built once; returns what takes the host's messages. */
export function featureMapView({ root, state, send }: FeatureMapViewOptions): (message: FeatureMapPanelToPage) => void {
  const known: Known = { places: new Float32Array(), tests: [] };
  let { curves } = themeColors();
  const pictures = pictureStore((image) => send({ type: 'picture', image, size: picturePixels }));
  /** Draws anew with what has changed. */
  const change = (part: Partial<FeatureMapPageState>): void => {
    state.change(part);
    derive();
  };
  const header = mapHeader(send, (colorBy) => change({ colorBy, apart: [] }));
  const stage = stageOf({ known, state, send, change, pictures });
  const legend = legendOf({ known, state, change });
  const selection = selectionOf({ known, send, change, pictures });
  const tools = toolbar(stage, (tool) => change({ tool }));
  const body = element('main', {}, [
    element('div', { class: 'map-side' }, [tools.element, stage.element]),
    legend.element,
  ]);
  root.append(header.element, body, selection.element);
  keepScroll({ kept: state.value.scroll, keep: (scroll) => state.change({ scroll }) });

  function derive(): void {
    const { map, places, tests } = known;
    known.drawn = map && drawnMap(map, places, tests, state.value, curves.length);
    refresh();
  }
  const refresh = everyFrame(() => {
    const { sources, progress, problem, map, tests, drawn } = known;
    const colorBy = colorByOf(state.value, tests);
    header.draw({ sources, progress, problem, map, tests, colorBy, verdicts: drawn?.verdicts ?? [] });
    body.hidden = drawn === undefined;
    selection.element.hidden = drawn === undefined;
    const { view, tool, selectedAs } = state.value;
    tools.draw(tool);
    stage.show(drawn && { content: drawn.content, view, tool }, drawn ? labelOf(drawn) : '');
    if (!drawn) return;
    legend.draw(drawn.content.grouping, drawn.apart, curves);
    selection.draw(drawn.selected, selectedAs);
  });
  onThemeChange(() => {
    ({ curves } = themeColors());
    stage.restyle();
    derive();
  });
  refresh();
  return (message) => {
    if (message.type === 'picture') pictures.arrived(message.image, message.picture);
    else {
      learn(known, message);
      // How far the next map is changes nothing of this one.
      if (message.type === 'progress' || message.type === 'error') refresh();
      else derive();
    }
  };
}

function learn(known: Known, message: Exclude<FeatureMapPanelToPage, { type: 'picture' }>): void {
  switch (message.type) {
    case 'map':
      known.map = message.map;
      known.places = Float32Array.from(message.map.images.flatMap(({ x, y }) => [x, y]));
      known.problem = undefined;
      return;
    case 'tests':
      known.tests = message.tests;
      return;
    case 'sources':
      // Another network's map is another map, and its tests are others.
      if (known.sources && known.sources.source !== message.source) [known.map, known.tests] = [undefined, []];
      known.sources = message;
      return;
    case 'progress':
      known.progress = message;
      if (message.busy) known.problem = undefined;
      return;
    case 'error':
      known.problem = message.message;
  }
}

type Parts = {
  known: Known;
  state: KeptState<FeatureMapPageState>;
  send: (message: FeatureMapPanelToHost) => void;
  change: (part: Partial<FeatureMapPageState>) => void;
  pictures: Pictures;
};

function stageOf({ known, state, send, change, pictures }: Parts): MapStage {
  return mapStage({
    card: (point) => cardOf(known.drawn, point, pictures),
    spoken: (point) => spokenOf(known.drawn, point),
    onPick: (points, mode) => {
      const { drawn } = known;
      if (!drawn) return;
      const next = selectionAfter(drawn.content.selected, points, mode);
      change({ selected: imagesAt(drawn, (point) => next.has(point)) });
    },
    onOpen: (point) => {
      const placed = known.drawn?.map.images[point];
      if (known.drawn && placed) send({ type: 'open', image: fileOf(known.drawn.map, placed) });
    },
    onView: (view) => state.change({ view }),
  });
}

function legendOf({ known, state, change }: Pick<Parts, 'known' | 'state' | 'change'>) {
  return mapLegend({
    onToggle: (key) => {
      const { apart } = state.value;
      change({ apart: apart.includes(key) ? apart.filter((each) => each !== key) : [...apart, key] });
    },
    onAll: () => change({ apart: [] }),
    onSelect: () => {
      if (!known.drawn) return;
      const { groups, groupOf } = known.drawn.content.grouping;
      change({ selected: imagesAt(known.drawn, (point) => groups[groupOf[point] ?? -1]?.look !== undefined) });
    },
  });
}

function selectionOf({ known, send, change, pictures }: Omit<Parts, 'state'>) {
  return selectionSection({
    pictures,
    onOpen: (image) => send({ type: 'open', image }),
    onReveal: (image) => send({ type: 'reveal', image }),
    onClean: () => {
      const { drawn } = known;
      // Of what was selected some may have gone since.
      if (drawn) send({ type: 'clean', images: imagesAt(drawn, (point) => drawn.content.selected.has(point)) });
    },
    onClear: () => change({ selected: [] }),
    onShowAs: (selectedAs) => change({ selectedAs }),
  });
}

function toolbar(stage: MapStage, onTool: (tool: Tool) => void) {
  const dragging = dropdown(l10n.t('Drag to'), (value) => onTool(tools.find((tool) => tool === value) ?? 'lasso'));
  const zooming = [
    button({ label: '+', spoken: l10n.t('Zoom in'), title: l10n.t('Zoom in'), onClick: () => stage.zoom(zoomStep) }),
    button({ label: '−', spoken: l10n.t('Zoom out'), title: l10n.t('Zoom out'), onClick: () => stage.zoom(1 / zoomStep) }), // prettier-ignore
    button({ label: l10n.t('Whole map'), onClick: stage.showAll }),
  ];
  return {
    element: element('div', { class: 'toolbar' }, [labelled(l10n.t('Drag to'), dragging.element), ...zooming]),
    draw: (shown: Tool) => dragging.update(tools.map((tool) => ({ value: tool, label: toolTitles[tool] })), shown), // prettier-ignore
  };
}

function labelOf({ map, verdicts }: DrawnMap): string {
  return l10n.t('Map of {0}: {1}', imagesText(map.images.length), outcomeText(verdicts));
}

function cardOf(drawn: DrawnMap | undefined, point: number, pictures: Pictures): HTMLElement {
  const placed = drawn?.map.images[point];
  if (!drawn || !placed) return element('div');
  return element('div', {}, [
    pictures.image(fileOf(drawn.map, placed), fileName(placed.image)),
    element('p', { class: 'card-class' }, [drawn.map.classes[placed.classIndex]?.name ?? '']),
    element('p', {}, [verdictText(drawn.verdicts[point])]),
    element('p', { class: 'hint' }, [fileName(placed.image)]),
  ]);
}

function spokenOf(drawn: DrawnMap | undefined, point: number): string {
  const placed = drawn?.map.images[point];
  if (!drawn || !placed) return '';
  const name = drawn.map.classes[placed.classIndex]?.name ?? '';
  const isSelected = drawn.content.selected.has(point) ? [l10n.t('selected')] : [];
  return [name, spokenVerdict(drawn.verdicts[point]), fileName(placed.image), ...isSelected].join(', ');
}

const toolTitles: Readonly<Record<Tool, string>> = {
  lasso: l10n.t('select with a lasso'),
  rectangle: l10n.t('select a rectangle'),
  move: l10n.t('move the map'),
};
