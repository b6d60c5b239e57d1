import type { MapContent } from './mapCanvas.ts';
import type { Tool } from './pageState.ts';
import type { Points, SelectionMode } from './points.ts';
import type { Place, Size, Viewport } from './viewport.ts';

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

/** The map as pointer and keys act on it. */
export type Stage = {
  readonly shown: ShownMap | undefined;
  readonly size: Size;
  readonly pointed: number | undefined;
  points: () => Points;
  /** Where a point lies on the map. */
  placeOf: (point: number) => Place;
  /** The point at a place on the screen. */
  under: (screen: Place) => number | undefined;
  /** Shows another part of the map. */
  look: (view: Viewport) => void;
  /** Points at a point, or at none. */
  point: (next: number | undefined) => void;
  /** Draws what is being selected. */
  outline: (corners: readonly Place[]) => void;
  zoom: (factor: number, around?: Place) => void;
};
