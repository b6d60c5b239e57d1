import * as l10n from '@vscode/l10n';
import { fitted } from '../../charts/fittedText.ts';
import type { ShownTrial } from '../../protocol/sweepPanel.ts';
import { cssColor, mixed, parseColor, type Rgb } from '../components/contrast.ts';
import { element, svg } from '../components/element.ts';
import { setText } from '../components/setText.ts';
import { themeColors } from '../components/themeColors.ts';
import { type Axis, filtered, resultKey } from './axes.ts';
import { draggedPart, isWhole, movedPart, wholeAxis } from './brush.ts';
import { type Line, nearest } from './nearestLine.ts';
import type { Part } from './pageState.ts';
import { trialText } from './trialTexts.ts';

export type ParallelCoordinates = {
  element: HTMLElement;
  draw: (axes: readonly Axis[], trials: readonly ShownTrial[], filters: Readonly<Record<string, Part>>) => void;
  /** Gives the focus to the first axis. */
  focus: () => void;
};

export type ParallelOptions = {
  /** The filter of an axis as it is now: a drawing may be a frame behind. */
  filterOf: (axis: string) => Part | undefined;
  onFilter: (axis: string, part: Part | undefined) => void;
  onOpen: (trial: ShownTrial) => void;
};

const height = 300;
const [top, bottom] = [34, 16];
const side = 60;
/** Pixels that an axis needs for its numbers. */
const narrowestAxis = 110;
const characterWidth = 6.6;
/** Lines that are drawn, best first: more hide each other. */
export const mostLines = 1000;
/** Pixels from an axis within which it is meant, and by which a pointer has to be dragged. */
const [axisReach, shortestDrag] = [16, 3];

/**
 * One axis for each setting that varies and one for the result, and a line for each trial that has one. Dragging along an
 * axis, or its keys, leave out the trials that lie elsewhere on it. The line under the pointer is named; a click opens its
 * run.
 */
export function parallelCoordinates({ filterOf, onFilter, onOpen }: ParallelOptions): ParallelCoordinates {
  const readout = element('p', { class: 'readout' });
  const chart = svg('svg', { class: 'parallel', role: 'group', 'aria-label': l10n.t('Trials by setting and result') });
  const box = element('div', { class: 'scroll-x', tabindex: -1 }, []);
  box.append(chart);
  let drawn: Parameters<ParallelCoordinates['draw']> = [[], [], {}];
  let lines: readonly Line[] = [];
  let hovered: ShownTrial | undefined;
  let width = 0;

  const xOf = (index: number) => side + (index * (width - 2 * side)) / Math.max(1, drawn[0].length - 1);
  const yOf = (at: number) => height - bottom - at * (height - top - bottom);
  const shareAt = (y: number) => (height - bottom - y) / (height - top - bottom);
  const axisAt = (x: number) => drawn[0].find((_, index) => Math.abs(xOf(index) - x) <= axisReach);

  const build = (): void => {
    const [axes, trials, filters] = drawn;
    const focused = chart.querySelector(':focus')?.getAttribute('data-axis');
    width = Math.max(box.clientWidth, axes.length * narrowestAxis);
    chart.setAttribute('width', String(width));
    chart.setAttribute('height', String(height));
    const scored = trials.filter(({ accuracy }) => accuracy !== undefined).slice(0, mostLines);
    const kept = new Set(filtered(scored, axes, filters));
    lines = scored.map((trial) => ({ trial, points: pointsOf(trial, axes, xOf, yOf) }));
    const looks = lineLooks();
    const result = axes.find(({ key }) => key === resultKey);
    // The best are drawn last, over the others.
    const paths = lines.toReversed().map(({ trial, points }) => {
      const isKept = kept.has(trial);
      const isHovered = trial.trial === hovered?.trial;
      return svg('polyline', {
        points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '),
        class: isHovered ? 'line hovered' : isKept ? 'line' : 'line left-out',
        stroke: isHovered ? looks.foreground : looks.colorOf(result?.place(trial) ?? 0),
      });
    });
    const room = axes.length > 1 ? xOf(1) - xOf(0) - 8 : width;
    chart.replaceChildren(
      svg('g', { 'aria-hidden': 'true' }, paths),
      ...axes.map((axis, index) => axisGroup(axis, filters[axis.key], { x: xOf(index), yOf, room })),
    );
    if (focused !== undefined && focused !== null)
      chart.querySelector<SVGElement>(`[data-axis="${CSS.escape(focused)}"]`)?.focus();
  };
  const hover = (trial: ShownTrial | undefined): void => {
    if (trial?.trial === hovered?.trial) return;
    hovered = trial;
    setText(readout, trial ? trialText(trial) : '');
    build();
  };

  listenToPointer(chart, {
    axisAt,
    lineAt: (x, y) => nearest(lines, x, y)?.trial,
    onHover: hover,
    onOpen,
    // A press without a drag takes the filter away.
    onDrag: (axis, from, to, isOver) => {
      const isPress = isOver && Math.abs(from - to) < shortestDrag;
      onFilter(axis.key, isPress ? undefined : draggedPart(shareAt(from), shareAt(to)));
    },
  });
  chart.addEventListener('keydown', (event) => {
    const key = event.target instanceof Element ? event.target.getAttribute('data-axis') : null;
    const axis = drawn[0].find((each) => each.key === key);
    if (!axis) return;
    const isClear = event.key === 'Escape' || event.key === 'Delete' || event.key === 'Backspace';
    const before = filterOf(axis.key) ?? wholeAxis;
    const part = isClear ? wholeAxis : movedPart(before, event.key, event.shiftKey, axis.step);
    if (!part) return;
    onFilter(axis.key, isWhole(part) ? undefined : part);
    event.preventDefault();
  });
  new ResizeObserver(() => {
    if (Math.max(box.clientWidth, drawn[0].length * narrowestAxis) !== width) build();
  }).observe(box);
  return {
    element: element('div', {}, [box, readout]),
    draw: (...next) => {
      drawn = next;
      build();
    },
    focus: () => chart.querySelector<SVGElement>('[data-axis]')?.focus(),
  };
}

type PointerActions = {
  axisAt: (x: number) => Axis | undefined;
  lineAt: (x: number, y: number) => ShownTrial | undefined;
  onHover: (trial: ShownTrial | undefined) => void;
  onOpen: (trial: ShownTrial) => void;
  /** Heights in pixels; `isOver` when the pointer is released. */
  onDrag: (axis: Axis, from: number, to: number, isOver: boolean) => void;
};

/** Drags begin on an axis; elsewhere the pointer means the line that is near. */
function listenToPointer(chart: SVGSVGElement, { axisAt, lineAt, onHover, onOpen, onDrag }: PointerActions): void {
  let drag: { axis: Axis; from: number } | undefined;
  let under: ShownTrial | undefined;
  const placeOf = (event: PointerEvent) => {
    const { left, top: above } = chart.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - above };
  };
  chart.addEventListener('pointerdown', (event) => {
    const { x, y } = placeOf(event);
    const axis = axisAt(x);
    if (event.button !== 0 || !axis) return;
    drag = { axis, from: y };
    chart.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  chart.addEventListener('pointermove', (event) => {
    const { x, y } = placeOf(event);
    if (drag) {
      onDrag(drag.axis, drag.from, y, false);
      return;
    }
    under = axisAt(x) ? undefined : lineAt(x, y);
    onHover(under);
    chart.classList.toggle('over-line', under?.run !== undefined);
  });
  chart.addEventListener('pointerup', (event) => {
    if (drag) onDrag(drag.axis, drag.from, placeOf(event).y, true);
    else if (event.button === 0 && under?.run !== undefined) onOpen(under);
    drag = undefined;
  });
  chart.addEventListener('pointercancel', () => (drag = undefined));
  chart.addEventListener('pointerleave', () => {
    under = undefined;
    onHover(undefined);
  });
}

function pointsOf(
  trial: ShownTrial,
  axes: readonly Axis[],
  xOf: (index: number) => number,
  yOf: (at: number) => number,
): Line['points'] {
  return axes.flatMap((axis, index) => {
    const at = axis.place(trial);
    return at === undefined ? [] : [[xOf(index), yOf(at)] as const];
  });
}

type AxisPlace = { x: number; yOf: (at: number) => number; room: number };

function axisGroup(axis: Axis, part: Part | undefined, { x, yOf, room }: AxisPlace): SVGElement {
  const shown = fitted(axis.title, room, (content) => content.length * characterWidth);
  const ticks = axis.ticks.flatMap(({ at, label }) => [
    svg('line', { class: 'tick', x1: x - 4, x2: x + 4, y1: yOf(at), y2: yOf(at) }),
    svg('text', { x: x + 7, y: yOf(at) + 4 }, [fitted(label, room - 12, (content) => content.length * characterWidth)]),
  ]);
  const brush = part
    ? [
        svg('rect', {
          class: 'brush',
          x: x - 7,
          y: yOf(part.high) - 1,
          width: 14,
          height: yOf(part.low) - yOf(part.high) + 2,
        }),
      ]
    : [];
  return svg(
    'g',
    {
      class: 'axis',
      tabindex: 0,
      role: 'slider',
      'data-axis': axis.key,
      'aria-orientation': 'vertical',
      'aria-label': l10n.t('Filter by {0}', axis.title),
      'aria-valuemin': 0,
      'aria-valuemax': 1,
      'aria-valuenow': (part ?? wholeAxis).high,
      'aria-valuetext': part ? axis.words(part) : l10n.t('all'),
    },
    [
      svg('title', {}, [axis.title]),
      svg('rect', { class: 'axis-area', x: x - axisReach, y: 0, width: 2 * axisReach, height }),
      svg('text', { class: 'axis-title', x, y: 16, 'text-anchor': 'middle' }, [shown]),
      svg('line', { x1: x, x2: x, y1: yOf(1), y2: yOf(0) }),
      ...brush,
      ...ticks,
    ],
  );
}

/** Colours of lines by their place on the axis of the result: from the muted one of the theme to that of its charts. */
function lineLooks(): { foreground: string; colorOf: (share: number) => string } {
  const { foreground, muted, background, curves } = themeColors();
  const accent = parseColor(curves[0] ?? '') ?? [0, 120, 212];
  const under: Rgb = mixed(parseColor(muted) ?? [128, 128, 128], parseColor(background) ?? [255, 255, 255], 0.6);
  return { foreground, colorOf: (share) => cssColor(mixed(accent, under, share)) };
}
