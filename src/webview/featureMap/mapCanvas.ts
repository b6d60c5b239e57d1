import type { PointLook } from '../../charts/pointLook.ts';
import type { Marker } from '../../charts/runStyle.ts';
import { cssColor, mixed, parseColor } from '../components/contrast.ts';
import { element } from '../components/element.ts';
import { everyFrame } from '../components/everyFrame.ts';
import { addMarker } from '../components/markerPath.ts';
import { type ThemeColors, themeColors } from '../components/themeColors.ts';
import type { Grouping } from './groups.ts';
import { sideOf, toScreen, type Place, type Size, type Viewport } from './viewport.ts';

/** What is drawn of a map. */
export type MapContent = {
  /** `[points, 2]`, from 0 to 1. */
  places: Float32Array;
  grouping: Grouping;
  selected: ReadonlySet<number>;
};

/** What lies over the points: it is drawn anew with each move of the pointer, the points are not. */
export type Overlay = {
  pointed: number | undefined;
  /** Corners of what is being selected, in pixels. */
  outline: readonly Place[];
};

export type MapCanvas = {
  element: HTMLElement;
  readonly size: Size;
  drawPoints: (content: MapContent, view: Viewport) => void;
  drawOverlay: (overlay: Overlay) => void;
  /** Takes the theme's colours anew. */
  restyle: () => void;
};

/** Share of the gray in the colour of points in the background. */
const faint = 0.35;

/** Two canvases, one over the other: the points, and what follows the pointer. `onResize` is called when their size is another. */
export function mapCanvas(onResize: () => void): MapCanvas {
  const canvases = [element('canvas'), element('canvas')] as const;
  const box = element('div', { class: 'canvases', 'aria-hidden': 'true' }, canvases);
  let size: Size = { width: 0, height: 0 };
  let colors = themeColors();
  let sprites = new Map<string, HTMLCanvasElement>();
  let shown: Shown | undefined;
  let over: Overlay = { pointed: undefined, outline: [] };
  let layers: { of: MapContent; order: Int32Array } | undefined;

  const resized = new ResizeObserver(() => {
    const { clientWidth: width, clientHeight: height } = box;
    if (width === size.width && height === size.height) return;
    size = { width, height };
    for (const canvas of canvases) {
      canvas.width = Math.round(width * devicePixelRatio);
      canvas.height = Math.round(height * devicePixelRatio);
    }
    onResize();
    points();
    overlay();
  });
  resized.observe(box);

  const spriteOf = (look: PointLook | undefined, radius: number, isSelected: boolean): HTMLCanvasElement => {
    const key = `${look?.color} ${look?.marker} ${radius} ${isSelected}`;
    const sprite = sprites.get(key) ?? drawnSprite(look, radius, isSelected, colors);
    sprites.set(key, sprite);
    return sprite;
  };

  const points = everyFrame(() => {
    const context = contextOf(canvases[0]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvases[0].width, canvases[0].height);
    if (!shown || size.width === 0) return;
    const { content } = shown;
    if (layers?.of !== content) layers = { of: content, order: drawingOrder(content) };
    drawPoints(context, shown, layers.order, size, spriteOf);
  });

  const overlay = everyFrame(() => {
    const context = contextOf(canvases[1]);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    drawOver(context, shown, over, size, colors.foreground);
  });

  return {
    element: box,
    get size() {
      return size;
    },
    drawPoints: (content, view) => {
      shown = { content, view };
      points();
      overlay();
    },
    drawOverlay: (next) => {
      over = next;
      overlay();
    },
    restyle: () => {
      colors = themeColors();
      sprites = new Map();
      points();
      overlay();
    },
  };
}

type Shown = { content: MapContent; view: Viewport };
type SpriteOf = (look: PointLook | undefined, radius: number, isSelected: boolean) => HTMLCanvasElement;

function drawPoints(
  context: CanvasRenderingContext2D,
  { content, view }: Shown,
  order: Int32Array,
  size: Size,
  spriteOf: SpriteOf,
): void {
  const { places, grouping, selected } = content;
  const { width, height } = context.canvas;
  const radius = Math.round(radiusOf(places.length / 2, view.scale) * devicePixelRatio);
  const own = grouping.groups.map(({ look }) => [spriteOf(look, radius, false), spriteOf(look, radius, true)] as const);
  // As `toScreen`, without an array for each point.
  const side = sideOf(view, size) * devicePixelRatio;
  const [left, top] = [width / 2 - view.x * side, height / 2 - view.y * side];
  for (const point of order) {
    const x = left + (places[2 * point] ?? 0) * side;
    const y = top + (places[2 * point + 1] ?? 0) * side;
    if (x < -20 || y < -20 || x > width + 20 || y > height + 20) continue;
    const sprite = own[grouping.groupOf[point] ?? 0]?.[selected.has(point) ? 1 : 0];
    if (sprite) context.drawImage(sprite, Math.round(x - sprite.width / 2), Math.round(y - sprite.height / 2));
  }
}

function drawOver(
  context: CanvasRenderingContext2D,
  shown: Shown | undefined,
  { pointed, outline }: Overlay,
  size: Size,
  color: string,
): void {
  context.strokeStyle = color;
  if (shown && pointed !== undefined) {
    const { places } = shown.content;
    const [x, y] = toScreen(shown.view, size, [places[2 * pointed] ?? 0, places[2 * pointed + 1] ?? 0]);
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, radiusOf(places.length / 2, shown.view.scale) + 5, 0, 2 * Math.PI);
    context.stroke();
  }
  const [first, ...others] = outline;
  if (!first) return;
  context.beginPath();
  context.moveTo(...first);
  for (const corner of others) context.lineTo(...corner);
  context.closePath();
  context.globalAlpha = 0.12;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.setLineDash([5, 4]);
  context.stroke();
  context.setLineDash([]);
}

/** A point's radius in pixels: smaller where there are many, larger where the map is enlarged. */
function radiusOf(points: number, scale: number): number {
  const base = points > 5000 ? 2.6 : points > 1000 ? 3.4 : 4.6;
  return Math.min(7.5, base * scale ** 0.35);
}

/** The background first, then the groups in turn, then what is selected. */
function drawingOrder({ places, grouping: { groups, groupOf }, selected }: MapContent): Int32Array {
  const layerOf = (point: number) => {
    const group = groupOf[point] ?? 0;
    return (selected.has(point) ? groups.length + 2 : 0) + layerOfLook(groups[group]?.look, group);
  };
  const layers = Int32Array.from({ length: places.length / 2 }, (_, point) => layerOf(point));
  return Int32Array.from(layers.keys()).sort((a, b) => (layers[a] ?? 0) - (layers[b] ?? 0) || a - b);
}

/** Gray points lie below those in colour, and the background below both. */
function layerOfLook(look: PointLook | undefined, group: number): number {
  if (!look) return 0;
  return look.color === undefined ? 1 : group + 2;
}

/** A point as a picture of its own, which is drawn many times faster than a path. */
function drawnSprite(
  look: PointLook | undefined,
  radius: number,
  isSelected: boolean,
  { curves, muted, foreground, background }: ThemeColors,
): HTMLCanvasElement {
  const marker: Marker = look?.marker ?? 'circle';
  const own = isSelected ? radius * 1.5 : look ? radius : radius * 0.75;
  const side = 2 * Math.ceil(own * 1.3 + 3);
  const sprite = element('canvas', { width: side, height: side });
  const context = contextOf(sprite);
  const path = new Path2D();
  addMarker(path, marker, [side / 2, side / 2], own);
  const grey = look ? muted : faintColor(muted, background);
  context.fillStyle = look?.color === undefined ? grey : (curves[look.color % curves.length] ?? foreground);
  context.fill(path);
  if (isSelected || look) {
    // Points that lie on each other are told apart by their edges.
    context.lineWidth = isSelected ? Math.max(2, radius / 2) : 1;
    context.globalAlpha = isSelected ? 1 : 0.6;
    context.strokeStyle = isSelected ? foreground : parseColor(background) ? background : foreground;
    context.stroke(path);
  }
  return sprite;
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the page has no canvas to draw on');
  return context;
}

/** Not transparent: where points lie on each other they would be brighter than those in colour. */
function faintColor(muted: string, background: string): string {
  const [color, under] = [parseColor(muted), parseColor(background)];
  return color && under ? cssColor(mixed(color, under, faint)) : muted;
}
