import type { MapStageOptions, Stage } from './stage.ts';
import type { Tool } from './pageState.ts';
import { pointsInside, type SelectionMode } from './points.ts';
import { movedBy, toMap, type Place } from './viewport.ts';

/** Pixels that a press moves at least to be a drag; between two corners of a lasso. */
const [leastDrag, lassoStep] = [4, 3];
const wheelFactor = 0.0015;
/** A click of a wheel in lines rather than pixels. */
const linePixels = 16;

type Drag = { from: Place; last: Place; outline: Place[]; tool: Tool; isDrag: boolean };

/** What the pointer does: it points, selects one or what a lasso or a rectangle holds, moves the map, and opens; the wheel zooms. */
export function listenToPointer(
  box: HTMLElement,
  stage: Stage,
  { onPick, onOpen }: Pick<MapStageOptions, 'onPick' | 'onOpen'>,
): void {
  let drag: Drag | undefined;
  const at = (event: MouseEvent): Place => {
    const { left, top } = box.getBoundingClientRect();
    return [event.clientX - left - box.clientLeft, event.clientY - top - box.clientTop];
  };
  box.addEventListener('pointerdown', (event) => {
    if (!stage.shown || event.button > 1) return;
    event.preventDefault();
    box.focus({ preventScroll: true });
    box.setPointerCapture(event.pointerId);
    const from = at(event);
    drag = { from, last: from, outline: [from], tool: event.button === 1 ? 'move' : stage.shown.tool, isDrag: false };
  });
  box.addEventListener('pointermove', (event) => {
    if (drag) moveDrag(drag, at(event), stage);
    else stage.point(stage.under(at(event)));
  });
  box.addEventListener('pointerup', (event) => {
    const done = drag;
    drag = undefined;
    stage.outline([]);
    if (!done || !stage.shown || event.button > 1) return;
    const { view } = stage.shown;
    if (!done.isDrag) {
      const hit = stage.under(done.from);
      if (event.button === 0) onPick(hit === undefined ? [] : [hit], modeOf(event));
    } else if (done.tool !== 'move') {
      const corners = done.outline.map((corner) => toMap(view, stage.size, corner));
      onPick(pointsInside(stage.points(), corners), modeOf(event));
    }
  });
  box.addEventListener('pointercancel', () => {
    drag = undefined;
    stage.outline([]);
  });
  box.addEventListener('pointerleave', () => {
    if (!drag) stage.point(undefined);
  });
  box.addEventListener('blur', () => {
    stage.point(undefined);
  });
  box.addEventListener('dblclick', (event) => {
    const hit = stage.under(at(event));
    if (hit !== undefined) onOpen(hit);
  });
  box.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? linePixels : 1);
      stage.zoom(Math.exp(-pixels * wheelFactor), at(event));
    },
    { passive: false },
  );
}

function moveDrag(drag: Drag, now: Place, stage: Stage): void {
  if (!stage.shown) return;
  const [dx, dy] = [now[0] - drag.last[0], now[1] - drag.last[1]];
  const { from, tool } = drag;
  drag.isDrag ||= Math.hypot(now[0] - from[0], now[1] - from[1]) >= leastDrag;
  if (!drag.isDrag || (tool === 'lasso' && Math.hypot(dx, dy) < lassoStep)) return;
  if (tool === 'rectangle') drag.outline = [from, [now[0], from[1]], now, [from[0], now[1]]];
  if (tool === 'lasso') drag.outline.push(now);
  drag.last = now;
  if (tool === 'move') stage.look(movedBy(stage.shown.view, stage.size, [dx, dy]));
  else stage.outline(drag.outline);
  stage.point(undefined);
}

function modeOf({ shiftKey, altKey, ctrlKey, metaKey }: MouseEvent): SelectionMode {
  if (shiftKey) return 'add';
  return altKey || ctrlKey || metaKey ? 'remove' : 'replace';
}
