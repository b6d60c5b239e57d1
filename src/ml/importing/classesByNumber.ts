import { relative, sep } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { ClassNumbers } from '../data/classList.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';

const whole = /^\d+$/u;

/**
 * The images of `source` with the classes that their labels mean: a name of the list is itself, a number is looked up. Where
 * the largest number is that of the names and none is 0, numbers count from 1, which is noted. What is not in the list is left
 * out. Files are told by their paths in `root`. Throws a user error where no label is in the list, and where two labels
 * would become one class.
 */
export function classesByNumber(
  found: FoundImages,
  classes: ClassNumbers,
  { source, root }: { readonly source: string; readonly root: string },
): FoundImages {
  const labels = [...new Set(found.images.map(({ label }) => label))];
  const known = new Set(classes);
  const numbers = labels.filter((label) => !known.has(label) && whole.test(label)).map(Number);
  const first = classes[0] !== undefined && Math.min(...numbers) > 0 && Math.max(...numbers) === classes.length ? 1 : 0;
  const names = new Map<string, string>();
  const numberOf = new Map<string, string>();
  for (const label of labels) {
    const isNumber = !known.has(label) && whole.test(label);
    const name = isNumber ? classes[Number(label) - first] : known.has(label) ? label : undefined;
    if (name === undefined) continue;
    const other = isNumber ? numberOf.get(name) : undefined;
    if (other !== undefined) throw userError(`The list of classes calls both ${other} and ${label} of ${source} ${name}: give each a name of its own.`); // prettier-ignore
    if (isNumber) numberOf.set(name, label);
    names.set(label, name);
  }
  if (names.size === 0 && labels.length > 0) {
    throw userError(`--classes names classes by their numbers, and those of ${source} are neither numbers of its list nor names in it (${someOf(labels)}): leave it out.`); // prettier-ignore
  }
  const left = createLeft();
  const images = found.images.flatMap((image): LabelledImage[] => {
    const label = names.get(image.label);
    if (label === undefined) left.add('a label that is not in the list of classes', relative(root, image.file).split(sep).join('/')); // prettier-ignore
    return label === undefined ? [] : [{ ...image, label }];
  });
  const note = `Labels count from 1, so 1 is ${classes[0] ?? ''} and ${classes.length} is ${classes.at(-1) ?? ''}.`;
  return { images, left: [...found.left, ...left.all()], notes: first === 1 ? [...found.notes, note] : found.notes };
}
