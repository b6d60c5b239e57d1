import * as l10n from '@vscode/l10n';
import { fileName, images as imagesText } from '../../charts/format.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { FeatureMapPanelToHost, FeatureMapPanelToPage, MapTest } from '../../protocol/featureMapPanel.ts';
import type { FeatureProgress, FeatureSources } from '../../protocol/featurePanel.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { pictureStore } from '../components/pictures.ts';
import { onThemeChange, themeColors } from '../components/themeColors.ts';
import { button, dropdown, labelled } from '../components/toolkit.ts';
import { classGroups, headVerdicts, outcomeGroups, testVerdicts, type Grouping, type Verdict } from './groups.ts';
import type { MapContent } from './mapCanvas.ts';
import { mapHeader } from './mapHeader.ts';
import { mapLegend } from './mapLegend.ts';
import { mapStage } from './mapStage.ts';
import { byClass, byHead, outcomeText, spokenVerdict, verdictText } from './mapTexts.ts';
import { type FeatureMapPageState, type Tool, tools } from './pageState.ts';
import { selectionAfter } from './points.ts';
import { selectionSection, type SelectedImage } from './selectionSection.ts';
import { wholeMap, zoomStep } from './viewport.ts';

const picturePixels = 160;

export type FeatureMapViewOptions = {
  root: HTMLElement;
  state: KeptState<FeatureMapPageState>;
  send: (message: FeatureMapPanelToHost) => void;
};

/** What follows from a map, the tests and the page's state. */
type Drawn = {
  map: FeatureMap;
  content: MapContent;
  verdicts: readonly (Verdict | undefined)[];
  selected: readonly SelectedImage[];
};

/** The page: built once; returns what takes the host's messages. */
export function featureMapView({ root, state, send }: FeatureMapViewOptions): (message: FeatureMapPanelToPage) => void {
  let sources: FeatureSources | undefined;
  let progress: FeatureProgress | undefined;
  let problem: string | undefined;
  let map: FeatureMap | undefined;
  let tests: readonly MapTest[] = [];
  let drawn: Drawn | undefined;
  let places = new Float32Array();
  let { curves } = themeColors();

  const pictures = pictureStore((image) => send({ type: 'picture', image, size: picturePixels }));
  const fileOf = (image: string): string => `${map?.data ?? ''}/${image}`;
  const open = (file: string): void => send({ type: 'open', image: file });
  /** Draws anew with what has changed. */
  const change = (part: Partial<FeatureMapPageState>): void => {
    state.change(part);
    derive();
  };

  const header = mapHeader(send, (colorBy) => change({ colorBy, apart: [] }));
  const stage = mapStage({
    card: (point) => cardOf(point),
    spoken: (point) => spokenOf(point),
    onPick: (points, mode) => {
      if (!drawn) return;
      const { images } = drawn.map;
      const next = selectionAfter(drawn.content.selected, points, mode);
      change({ selected: images.filter((_, at) => next.has(at)).map(({ image }) => image) });
    },
    onOpen: (point) => open(fileOf(drawn?.map.images[point]?.image ?? '')),
    onView: (view) => state.change({ view }),
  });
  const legend = mapLegend({
    onToggle: (key) => {
      const { apart } = state.value;
      change({ apart: apart.includes(key) ? apart.filter((each) => each !== key) : [...apart, key] });
    },
    onAll: () => change({ apart: [] }),
    onSelect: () => {
      if (!drawn) return;
      const { groups, groupOf } = drawn.content.grouping;
      const { images } = drawn.map;
      change({ selected: images.filter((_, at) => groups[groupOf[at] ?? -1]?.look).map(({ image }) => image) });
    },
  });
  const selection = selectionSection({
    pictures,
    onOpen: open,
    onReveal: (image) => send({ type: 'reveal', image }),
    onClean: () => {
      if (!drawn) return;
      // Of what was selected some may have gone since.
      const { map: own, content } = drawn;
      send({ type: 'clean', images: own.images.filter((_, at) => content.selected.has(at)).map(({ image }) => image) });
    },
    onClear: () => change({ selected: [] }),
    onShowAs: (selectedAs) => {
      state.change({ selectedAs });
      refresh();
    },
  });
  const dragging = dropdown(l10n.t('Drag to'), (value) => {
    state.change({ tool: tools.find((tool) => tool === value) ?? 'lasso' });
    refresh();
  });
  const zooming = [
    button({ label: '+', spoken: l10n.t('Zoom in'), title: l10n.t('Zoom in'), onClick: () => stage.zoom(zoomStep) }),
    button({ label: '−', spoken: l10n.t('Zoom out'), title: l10n.t('Zoom out'), onClick: () => stage.zoom(1 / zoomStep) }), // prettier-ignore
    button({ label: l10n.t('Whole map'), onClick: () => (state.change({ view: wholeMap }), refresh()) }),
  ];
  const body = element('main', {}, [
    element('div', { class: 'map-side' }, [
      element('div', { class: 'toolbar' }, [labelled(l10n.t('Drag to'), dragging.element), ...zooming]),
      stage.element,
    ]),
    legend.element,
  ]);
  root.append(header.element, body, selection.element);
  keepScroll({ kept: state.value.scroll, keep: (scroll) => state.change({ scroll }) });

  const cardOf = (point: number): HTMLElement => {
    const placed = drawn?.map.images[point];
    if (!drawn || !placed) return element('div');
    const verdict = drawn.verdicts[point];
    return element('div', {}, [
      pictures.image(fileOf(placed.image), fileName(placed.image)),
      element('p', { class: 'card-class' }, [drawn.map.classes[placed.classIndex]?.name ?? '']),
      element('p', {}, [verdictText(verdict)]),
      element('p', { class: 'hint' }, [fileName(placed.image)]),
    ]);
  };
  const spokenOf = (point: number): string => {
    const placed = drawn?.map.images[point];
    if (!drawn || !placed) return '';
    const name = drawn.map.classes[placed.classIndex]?.name ?? '';
    const isSelected = drawn.content.selected.has(point) ? [l10n.t('selected')] : [];
    return [name, spokenVerdict(drawn.verdicts[point]), fileName(placed.image), ...isSelected].join(', ');
  };

  /** Works out what is drawn, from the map and what the user chose. */
  function derive(): void {
    if (!map) drawn = undefined;
    else {
      const { selected: paths } = state.value;
      const chosen = new Set(paths);
      const { grouping, verdicts } = groupingOf(map);
      const { classes, images } = map;
      const selected = new Set(images.flatMap(({ image }, at) => (chosen.has(image) ? [at] : [])));
      const shown = [...selected].flatMap((at): SelectedImage[] => {
        const placed = images[at];
        if (!placed) return [];
        return [
          { file: fileOf(placed.image), className: classes[placed.classIndex]?.name ?? '', verdict: verdicts[at] },
        ];
      });
      drawn = { map, content: { places, grouping, selected }, verdicts, selected: shown };
    }
    refresh();
  }
  function groupingOf(own: FeatureMap): { grouping: Grouping; verdicts: readonly (Verdict | undefined)[] } {
    const { apart } = state.value;
    const test = tests.find(({ title }) => title === colorBy());
    const verdicts = test ? testVerdicts(own, test) : headVerdicts(own);
    const grouping = colorBy() === byClass ? classGroups(own, apart, curves.length) : outcomeGroups(verdicts, apart);
    return { grouping, verdicts };
  }
  /** What is coloured by: a test that is gone was of other features. */
  function colorBy(): string {
    const { colorBy: wanted } = state.value;
    return wanted === byClass || tests.some(({ title }) => title === wanted) ? wanted : byHead;
  }

  const refresh = everyFrame(() => {
    header.draw({ sources, progress, problem, map, tests, colorBy: colorBy(), verdicts: drawn?.verdicts ?? [] });
    body.hidden = drawn === undefined;
    selection.element.hidden = drawn === undefined;
    dragging.update(
      tools.map((tool) => ({ value: tool, label: toolTitles[tool] })),
      state.value.tool,
    );
    const { view, tool, apart, selectedAs } = state.value;
    const label = drawn
      ? l10n.t('Map of {0}: {1}', imagesText(drawn.map.images.length), outcomeText(drawn.verdicts))
      : '';
    stage.show(drawn && { content: drawn.content, view, tool }, label);
    if (!drawn) return;
    legend.draw(drawn.content.grouping, apart, curves);
    selection.draw(drawn.selected, selectedAs);
  });
  onThemeChange(() => {
    ({ curves } = themeColors());
    stage.restyle();
    derive();
  });
  refresh();

  return (message) => {
    switch (message.type) {
      case 'map':
        map = message.map;
        places = Float32Array.from(map.images.flatMap(({ x, y }) => [x, y]));
        problem = undefined;
        derive();
        return;
      case 'tests':
        ({ tests } = message);
        derive();
        return;
      case 'sources':
        // Another network's map is another map.
        if (sources && sources.source !== message.source) map = undefined;
        sources = message;
        derive();
        return;
      case 'progress':
        progress = message;
        if (message.busy) problem = undefined;
        break;
      case 'error':
        problem = message.message;
        break;
      case 'picture':
        pictures.arrived(message.image, message.picture);
        return;
    }
    refresh();
  };
}

const toolTitles: Readonly<Record<Tool, string>> = {
  lasso: l10n.t('select with a lasso'),
  rectangle: l10n.t('select a rectangle'),
  move: l10n.t('move the map'),
};
