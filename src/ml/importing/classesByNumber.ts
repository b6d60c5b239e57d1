import { relative, sep } from 'node:path';
import { userError } from '../../protocol/errors.ts';
import { someOf } from '../../protocol/someOf.ts';
import type { ClassNumbers } from '../data/classList.ts';
import { createLeft, type FoundImages, type LabelledImage } from './labelledImage.ts';

const whole = /^\d+$/u;

/**
 * The images of `source` with the classes that their labels mean: a name of the list is itself, a number is looked up. Where
 * the largest number is that of the names and none is 0, numbers count from 1, which is noted, as are a list that begins with
 * a number that no label has, and one that changes nothing. What is not in the list is left out. Files are told by their
 * paths in `root`. Throws a user error where no label is in the list, and where two labels would become one class.
 */
export function classesByNumber(
  found: FoundImages,
  classes: ClassNumbers,
  { source, root }: { readonly source: string; readonly root: string },
): FoundImages {
  const labels = [...new Set(found.images.map(({ label }) => label))];
  const known = new Set(classes);
  // There may be too many to be arguments.
  let [least, most] = [Infinity, -Infinity];
  for (const label of labels) {
    if (known.has(label) || !whole.test(label)) continue;
    [least, most] = [Math.min(least, Number(label)), Math.max(most, Number(label))];
  }
  const countsFrom0 = classes[0] !== undefined;
  const first = countsFrom0 && least > 0 && most === classes.length ? 1 : 0;
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
  const isOfNoUse = numberOf.size === 0 && names.size === labels.length && labels.length > 0;
  const isUnsure = first === 0 && countsFrom0 && least > 0 && least < classes.length;
  const notes = [
    ...found.notes,
    ...(isOfNoUse ? ['The list of classes changes nothing here: every label is one of its names already.'] : []),
    ...(first === 1 ? [`Labels count from 1, so 1 is ${classes[0] ?? ''} and ${classes.length} is ${classes.at(-1) ?? ''}.`] : []), // prettier-ignore
    ...(isUnsure ? [`No label is 0, with which the list begins: ${least} is ${classes[least] ?? ''}.`] : []),
  ];
  return { images, left: [...found.left, ...left.all()], notes };
}
