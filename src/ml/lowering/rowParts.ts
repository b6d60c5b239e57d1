/** A stretch of a row that goes through a model by itself. */
export interface RowPart {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * Elements of the parts in which a large row is updated: an update reads and writes each some thirty times, which the
 * processor's cache holds then.
 */
export const elementsInCache = 2 ** 19;

/** The parts of at most so many elements of a row: itself where it has no more, or where `most` is 0. */
export function partsOf(row: string, elements: number, most: number): readonly RowPart[] {
  if (most === 0 || elements <= most) return [{ name: row, from: 0, to: elements }];
  return Array.from({ length: Math.ceil(elements / most) }, (_, index) => {
    const [from, to] = [index * most, Math.min(elements, (index + 1) * most)];
    return { name: `${row} from ${from} to ${to}`, from, to };
  });
}
