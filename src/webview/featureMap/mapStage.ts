import * as l10n from '@vscode/l10n';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { mapCanvas } from './mapCanvas.ts';
import { nearestPoint, type Points } from './points.ts';
import type { MapStageOptions, ShownMap, Stage } from './stage.ts';
import { listenToKeys } from './stageKeys.ts';
import { listenToPointer } from './stagePointer.ts';
import { sideOf, toMap, toScreen, wholeMap, zoomedAt, type Place } from './viewport.ts';

export type MapStage = {
  element: HTMLElement;
  show: (shown: ShownMap | undefined, label: string) => void;
  zoom: (factor: number) => void;
  showAll: () => void;
  restyle: () => void;
};

/** Pixels around the pointer in which a point is looked for. */
const reach = 14;

/** The map that is pointed at, dragged over, zoomed and walked by keys. */
export function mapStage(options: MapStageOptions): MapStage {
  const beside = element('div', { class: 'map-card', 'aria-hidden': 'true', hidden: true });
  const said = announcer();
  const canvas = mapCanvas(() => placeCard(beside, stage));
  const box = element('div', { class: 'stage', role: 'application', tabindex: 0, 'aria-describedby': 'map-keys' }, [
    canvas.element,
    beside,
  ]);
  let shown: ShownMap | undefined;
  let pointed: number | undefined;
  let corners: readonly Place[] = [];
  const draw = (): void => canvas.drawOverlay({ pointed, outline: corners });
  const stage: Stage = {
    get shown() {
      return shown;
    },
    get size() {
      return canvas.size;
    },
    get pointed() {
      return pointed;
    },
    points: () => pointsOf(shown),
    placeOf: (point) => placeIn(shown, point),
    under: (screen) => (shown ? nearestPoint(pointsOf(shown), toMap(shown.view, canvas.size, screen), reach / sideOf(shown.view, canvas.size)) : undefined), // prettier-ignore
    look: (view) => {
      if (!shown) return;
      shown = { ...shown, view };
      canvas.drawPoints(shown.content, view);
      options.onView(view);
      placeCard(beside, stage);
    },
    point: (next) => {
      if (next !== pointed) {
        pointed = next;
        beside.hidden = next === undefined;
        if (next !== undefined) beside.replaceChildren(options.card(next));
        placeCard(beside, stage);
      }
      draw();
    },
    outline: (next) => {
      corners = next;
      draw();
    },
    zoom: (factor, around = [canvas.size.width / 2, canvas.size.height / 2]) => {
      if (shown) stage.look(zoomedAt(shown.view, canvas.size, factor, around));
    },
  };
  listenToPointer(box, stage, options);
  listenToKeys(box, stage, { ...options, say: said.say });
  return {
    element: element('div', { class: 'map' }, [box, element('p', { class: 'hint', id: 'map-keys' }, [mapKeys]), said.element]), // prettier-ignore
    show: (next, label) => {
      const isOther = next?.content.places !== shown?.content.places;
      shown = next;
      box.setAttribute('aria-label', label);
      box.dataset['tool'] = next?.tool ?? '';
      if (isOther) stage.point(undefined);
      if (next) canvas.drawPoints(next.content, next.view);
    },
    zoom: (factor) => stage.zoom(factor),
    showAll: () => stage.look(wholeMap),
    restyle: canvas.restyle,
  };
}

function pointsOf(shown: ShownMap | undefined): Points {
  if (!shown) return { places: new Float32Array(), isActive: () => false };
  const { places, grouping } = shown.content;
  const isActive = grouping.groups.map(({ look }) => look !== undefined);
  return { places, isActive: (point) => isActive[grouping.groupOf[point] ?? -1] === true };
}

function placeIn(shown: ShownMap | undefined, point: number): Place {
  const { places } = shown?.content ?? {};
  return [places?.[2 * point] ?? 0, places?.[2 * point + 1] ?? 0];
}

/** Puts the card beside its point, inside the map. */
function placeCard(card: HTMLElement, { shown, pointed, size, placeOf }: Stage): void {
  if (!shown || pointed === undefined) return;
  const [x, y] = toScreen(shown.view, size, placeOf(pointed));
  const { offsetWidth: width, offsetHeight: height } = card;
  const left = x + 16 + width <= size.width ? x + 16 : x - 16 - width;
  const top = Math.min(size.height - height - 4, Math.max(4, y - height / 2));
  card.style.transform = `translate(${Math.max(4, Math.round(left))}px, ${Math.round(top)}px)`;
}

const mapKeys = l10n.t(
  'Drag to select, with Shift to add, with Alt to remove; the wheel zooms. Keys: arrows go from image to image, Space selects, Enter opens, plus and minus zoom, 0 shows all, Escape selects nothing.',
);
