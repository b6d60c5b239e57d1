import { element } from './element.ts';
import { percent, short } from '../../charts/format.ts';
import { countUpTo } from '../../charts/columns.ts';
import type { ChartKind, Curve } from '../../charts/curve.ts';
import { lineSample } from './lineSample.ts';

export type Reading = { label: string; value: string; curve: Curve };

/** The values of curves at a place of the x axis: of each the last point up to it, or the next if values hold up to their point. */
export function readingsAt(kind: ChartKind, curves: readonly Curve[], x: number): Reading[] {
  return curves.flatMap((curve) => {
    const { x: places, y } = curve.points();
    const before = countUpTo(places, x) - 1;
    const value = y[curve.step === 'before' && places[before] !== x ? before + 1 : before];
    if (value === undefined || !Number.isFinite(value)) return [];
    return [{ label: curve.label, value: kind.percent ? percent(value) : short(value), curve }];
  });
}

export type ChartReadout = {
  element: HTMLElement;
  /** Shows what curves are at a place, at the side where the pointer is not. */
  show: (place: string, readings: readonly Reading[], side: 'left' | 'right') => void;
  hide: () => void;
};

/** The box with the values at the cursor. */
export function chartReadout(): ChartReadout {
  const box = element('div', { class: 'readout', 'aria-hidden': 'true', hidden: true });
  return {
    element: box,
    show: (place, readings, side) => {
      box.hidden = readings.length === 0;
      box.dataset['side'] = side;
      box.replaceChildren(
        element('strong', {}, [place]),
        ...readings.map(({ label, value, curve }) =>
          element('div', { class: 'reading' }, [
            lineSample(curve),
            element('span', {}, [label]),
            element('b', {}, [value]),
          ]),
        ),
      );
    },
    hide: () => (box.hidden = true),
  };
}
