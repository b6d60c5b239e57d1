import type { MapStageOptions, Stage } from './stage.ts';
import { nearestPoint, pointTowards, type SelectionMode } from './points.ts';
import { showing, sideOf, toScreen, wholeMap, zoomStep, type Place } from './viewport.ts';

/** Pixels that an arrow key moves at least. */
const leastStep = 3;

type KeyOptions = Pick<MapStageOptions, 'spoken' | 'onPick' | 'onOpen'> & {
  /** Tells a screen reader. */
  say: (text: string) => void;
};

/** What keys do: arrows go from point to point, Space selects, Enter opens, others zoom and select nothing. */
export function listenToKeys(box: HTMLElement, stage: Stage, { spoken, onPick, onOpen, say }: KeyOptions): void {
  const walk = (direction: Place): void => {
    const next = pointAlong(stage, direction);
    if (next === undefined || !stage.shown) return;
    const { view } = stage.shown;
    const moved = showing(view, stage.size, stage.placeOf(next));
    if (moved !== view) stage.look(moved);
    stage.point(next);
    say(spoken(next));
  };
  const zoom = (factor: number): void => {
    const { shown, pointed, size, placeOf } = stage;
    stage.zoom(factor, shown && pointed !== undefined ? toScreen(shown.view, size, placeOf(pointed)) : undefined);
  };
  const onPointed = (work: (point: number) => void): void => {
    if (stage.pointed !== undefined) work(stage.pointed);
  };
  const modeFor = (point: number): SelectionMode => (stage.shown?.content.selected.has(point) === true ? 'remove' : 'add'); // prettier-ignore
  const actions: Record<string, () => void> = {
    ArrowLeft: () => walk([-1, 0]),
    ArrowRight: () => walk([1, 0]),
    ArrowUp: () => walk([0, -1]),
    ArrowDown: () => walk([0, 1]),
    ' ': () => onPointed((point) => onPick([point], modeFor(point))),
    Enter: () => onPointed(onOpen),
    '+': () => zoom(zoomStep),
    '=': () => zoom(zoomStep),
    '-': () => zoom(1 / zoomStep),
    '0': () => stage.look(wholeMap),
    Escape: () => onPick([], 'replace'),
  };
  box.addEventListener('keydown', (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (!action || !stage.shown) return;
    event.preventDefault();
    action();
  });
}

/** Where an arrow key leads: from nowhere to the point nearest the middle. */
function pointAlong({ shown, pointed, size, points, placeOf }: Stage, direction: Place): number | undefined {
  if (!shown) return undefined;
  const { view } = shown;
  if (pointed === undefined) return nearestPoint(points(), [view.x, view.y], Infinity);
  return pointTowards(points(), placeOf(pointed), direction, leastStep / sideOf(view, size));
}
