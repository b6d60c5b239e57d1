import * as l10n from '@vscode/l10n';
import { announcer } from '../components/announcer.ts';
import { element } from '../components/element.ts';
import { mapCanvas, type MapContent } from './mapCanvas.ts';
import type { Tool } from './pageState.ts';
import { nearestPoint, pointsInside, pointTowards, type Points, type SelectionMode } from './points.ts';
import {
  movedBy,
  showing,
  sideOf,
  toMap,
  toScreen,
  wholeMap,
  zoomedAt,
  zoomStep,
  type Place,
  type Viewport,
} from './viewport.ts';

export type MapStageOptions = {
  /** What a point is, as the card beside the pointer shows it. */
  card: (point: number) => HTMLElement;
  /** The same in one sentence. */
  spoken: (point: number) => string;
  onPick: (points: readonly number[], mode: SelectionMode) => void;
  onOpen: (point: number) => void;
  onView: (view: Viewport) => void;
};

export type ShownMap = { content: MapContent; view: Viewport; tool: Tool };

export type MapStage = {
  element: HTMLElement;
  show: (shown: ShownMap | undefined, label: string) => void;
  zoom: (factor: number) => void;
  restyle: () => void;
};

/** Pixels around the pointer in which a point is looked for; that a press moves at least to be a drag; between two corners of a lasso. */
const [reach, leastDrag, lassoStep] = [14, 4, 3];
/** Pixels that an arrow key moves at least. */
const leastStep = 3;
const wheelFactor = 0.0015;
/** A click of a wheel in lines rather than pixels. */
const linePixels = 16;

/** The map that is pointed at, dragged over, zoomed and walked by keys. */
export function mapStage({ card, spoken, onPick, onOpen, onView }: MapStageOptions): MapStage {
  const canvas = mapCanvas(() => place());
  const beside = element('div', { class: 'map-card', 'aria-hidden': 'true' });
  const said = announcer();
  const keys = element('p', { class: 'hint', id: 'map-keys' }, [mapKeys]);
  const box = element('div', { class: 'stage', role: 'application', tabindex: 0, 'aria-describedby': 'map-keys' }, [
    canvas.element,
    beside,
  ]);
  let shown: ShownMap | undefined;
  let pointed: number | undefined;
  let drag: { from: Place; last: Place; outline: Place[]; tool: Tool; isDrag: boolean } | undefined;

  const points = (): Points => {
    if (!shown) return { places: new Float32Array(), isActive: () => false };
    const { places, grouping } = shown.content;
    const isActive = grouping.groups.map(({ look }) => look !== undefined);
    return { places, isActive: (point) => isActive[grouping.groupOf[point] ?? -1] === true };
  };
  const placeOf = (point: number): Place => {
    const { places } = shown?.content ?? {};
    return [places?.[2 * point] ?? 0, places?.[2 * point + 1] ?? 0];
  };
  const at = (event: MouseEvent): Place => {
    const { left, top } = box.getBoundingClientRect();
    return [event.clientX - left - box.clientLeft, event.clientY - top - box.clientTop];
  };
  const under = (screen: Place): number | undefined => {
    if (!shown) return undefined;
    const { view } = shown;
    return nearestPoint(points(), toMap(view, canvas.size, screen), reach / sideOf(view, canvas.size));
  };
  const look = (view: Viewport): void => {
    if (!shown) return;
    shown = { ...shown, view };
    canvas.drawPoints(shown.content, view);
    onView(view);
    place();
  };
  const draw = (): void => canvas.drawOverlay({ pointed, outline: drag?.isDrag === true ? drag.outline : [] });
  /** The card beside its point, inside the map. */
  function place(): void {
    if (!shown || pointed === undefined) return;
    const [x, y] = toScreen(shown.view, canvas.size, placeOf(pointed));
    const { offsetWidth: width, offsetHeight: height } = beside;
    const left = x + 16 + width <= canvas.size.width ? x + 16 : x - 16 - width;
    const top = Math.min(canvas.size.height - height - 4, Math.max(4, y - height / 2));
    beside.style.transform = `translate(${Math.max(4, Math.round(left))}px, ${Math.round(top)}px)`;
  }
  const point = (next: number | undefined): void => {
    if (next !== pointed) {
      pointed = next;
      beside.hidden = next === undefined;
      if (next !== undefined) beside.replaceChildren(card(next));
      place();
    }
    draw();
  };
  const zoom = (factor: number, around: Place = [canvas.size.width / 2, canvas.size.height / 2]): void => {
    if (shown) look(zoomedAt(shown.view, canvas.size, factor, around));
  };

  box.addEventListener('pointerdown', (event) => {
    if (!shown || event.button > 1) return;
    event.preventDefault();
    box.focus({ preventScroll: true });
    box.setPointerCapture(event.pointerId);
    const from = at(event);
    drag = { from, last: from, outline: [from], tool: event.button === 1 ? 'move' : shown.tool, isDrag: false };
  });
  box.addEventListener('pointermove', (event) => {
    const now = at(event);
    if (!drag || !shown) {
      point(under(now));
      return;
    }
    const [dx, dy] = [now[0] - drag.last[0], now[1] - drag.last[1]];
    const { from, tool } = drag;
    drag.isDrag ||= Math.hypot(now[0] - from[0], now[1] - from[1]) >= leastDrag;
    if (!drag.isDrag) return;
    if (tool === 'move') look(movedBy(shown.view, canvas.size, [dx, dy]));
    else if (tool === 'rectangle') drag.outline = [from, [now[0], from[1]], now, [from[0], now[1]]];
    else if (Math.hypot(dx, dy) < lassoStep) return;
    else drag.outline.push(now);
    drag.last = now;
    point(undefined);
  });
  box.addEventListener('pointerup', (event) => {
    const done = drag;
    drag = undefined;
    if (!done || !shown || event.button > 1) return;
    const mode = event.shiftKey ? 'add' : event.altKey || event.ctrlKey || event.metaKey ? 'remove' : 'replace';
    const { view } = shown;
    if (!done.isDrag) {
      const hit = under(done.from);
      if (event.button === 0) onPick(hit === undefined ? [] : [hit], mode);
    } else if (done.tool !== 'move') {
      onPick(pointsInside(points(), done.outline.map((corner) => toMap(view, canvas.size, corner))), mode); // prettier-ignore
    }
    draw();
  });
  box.addEventListener('pointercancel', () => {
    drag = undefined;
    draw();
  });
  box.addEventListener('pointerleave', () => {
    if (!drag) point(undefined);
  });
  box.addEventListener('dblclick', (event) => {
    const hit = under(at(event));
    if (hit !== undefined) onOpen(hit);
  });
  box.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? linePixels : 1);
      zoom(Math.exp(-pixels * wheelFactor), at(event));
    },
    { passive: false },
  );
  box.addEventListener('blur', () => point(undefined));

  const walk = (direction: Place): void => {
    if (!shown) return;
    const { view } = shown;
    const from = pointed === undefined ? ([view.x, view.y] as const) : placeOf(pointed);
    const next =
      pointed === undefined
        ? nearestPoint(points(), from, Infinity)
        : pointTowards(points(), from, direction, leastStep / sideOf(view, canvas.size));
    if (next === undefined) return;
    const moved = showing(view, canvas.size, placeOf(next));
    if (moved !== view) look(moved);
    point(next);
    said.say(spoken(next));
  };
  const around = (): Place | undefined => (pointed === undefined || !shown ? undefined : toScreen(shown.view, canvas.size, placeOf(pointed))); // prettier-ignore
  const pick = (mode: SelectionMode): void => {
    if (pointed !== undefined) onPick([pointed], mode);
  };
  const isSelected = (): boolean => pointed !== undefined && shown?.content.selected.has(pointed) === true;
  const actions: Record<string, () => void> = {
    ArrowLeft: () => walk([-1, 0]),
    ArrowRight: () => walk([1, 0]),
    ArrowUp: () => walk([0, -1]),
    ArrowDown: () => walk([0, 1]),
    ' ': () => pick(isSelected() ? 'remove' : 'add'),
    Enter: () => {
      if (pointed !== undefined) onOpen(pointed);
    },
    '+': () => zoom(zoomStep, around()),
    '=': () => zoom(zoomStep, around()),
    '-': () => zoom(1 / zoomStep, around()),
    '0': () => look(wholeMap),
    Escape: () => onPick([], 'replace'),
  };
  box.addEventListener('keydown', (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action || !shown) return;
    event.preventDefault();
    action();
  });

  beside.hidden = true;
  return {
    element: element('div', { class: 'map' }, [box, keys, said.element]),
    show: (next, label) => {
      const isOther = next?.content.places !== shown?.content.places;
      shown = next;
      box.setAttribute('aria-label', label);
      box.dataset['tool'] = next?.tool ?? '';
      if (isOther) point(undefined);
      if (next) canvas.drawPoints(next.content, next.view);
    },
    zoom: (factor) => zoom(factor),
    restyle: canvas.restyle,
  };
}

const mapKeys = l10n.t(
  'Drag to select, with Shift to add, with Alt to remove; the wheel zooms. Keys: arrows go from image to image, Space selects, Enter opens, plus and minus zoom, 0 shows all, Escape selects nothing.',
);
