import type { Evaluation } from './evaluation.ts';
import { plural } from './plural.ts';
import { pathWithin } from './slices.ts';

type Result = Evaluation['results'][number];

/** A test, with what people call its run. */
export interface NamedTest {
  readonly name: string;
  readonly evaluation: Evaluation;
}

/** Results by the image's path within the data: images of two tests are the same if these are. */
export function resultsByPath({ data, results }: Evaluation): Map<string, Result> {
  return new Map(results.map((result) => [pathWithin(data, result.image), result]));
}

/** Why tests are of different images, in how many of them they agree. */
export interface DifferentImages {
  /** A sentence without its end, so that what can be done may follow. */
  readonly reason: string;
  /** Images that are in all of the tests; none if images of the same name are not the same. */
  readonly common: number;
}

/**
 * Whether tests were made on different images, which no paired test allows: undefined if they are the same. An image that
 * does not decode in one of them, and so has no result there, makes no difference. Images of one name in two folders whose
 * sizes are not the same are different images.
 */
export function differentImages(tests: readonly NamedTest[]): DifferentImages | undefined {
  const [first, ...others] = tests.map((test) => ({ ...test, results: resultsByPath(test.evaluation) }));
  if (!first) return undefined;
  for (const other of others) {
    const impostor = [...first.results].find(([path, result]) => isAnother(result, other.results.get(path)));
    if (impostor) {
      const reason = `${first.name} and ${other.name} were tested on different images of the same names, such as ${impostor[0]}: one in ${first.evaluation.data}, the other in ${other.evaluation.data}`;
      return { reason, common: 0 };
    }
  }
  const common = [...first.results.keys()].filter((path) => others.every(({ results }) => results.has(path))).length;
  for (const other of others) {
    const shared = [...first.results.keys()].filter((path) => other.results.has(path)).length;
    const missing = [...lacking(first, other), ...lacking(other, first)];
    if (missing.length === 0) continue;
    const counts = `${first.results.size} and ${other.results.size}, ${shared === 0 ? 'none' : shared} of them the same`;
    const reason = `${first.name} and ${other.name} were tested on different images (${counts}), ${whyDifferent(first.evaluation, other.evaluation)}`;
    return { reason, common };
  }
  return undefined;
}

/** The sentence for tests that are refused because of it. */
export function differentImagesSentence({ reason, common }: DifferentImages, remedy: string): string {
  const rest = common === 0 ? '' : `, or compare them on the ${plural(common, 'image')} that all were tested on`;
  return `${reason}: ${remedy}${rest}`;
}

function isAnother({ look }: Result, other: Result | undefined): boolean {
  const others = other?.look;
  return look !== undefined && others !== undefined && (look.width !== others.width || look.height !== others.height);
}

type TestByPath = NamedTest & { readonly results: ReadonlyMap<string, Result> };

/** Images that one test has and the other neither has nor left out because they do not decode. */
function lacking(one: TestByPath, other: TestByPath): string[] {
  const { data, leftOutImages = [] } = other.evaluation;
  const leftOut = new Set(leftOutImages.map(({ image }) => pathWithin(data, image)));
  return [...one.results.keys()].filter((path) => !other.results.has(path) && !leftOut.has(path));
}

function whyDifferent(one: Evaluation, other: Evaluation): string {
  if (one.data !== other.data) return `as they were tested in different folders, ${one.data} and ${other.data}`;
  if (one.selection?.chosenBy === 'run' && other.selection?.chosenBy === 'run') {
    return 'as each run drew its own split into train, valid and test, or images came or went between the tests';
  }
  return 'as images that a run had used are left out of its test, or images came or went between the tests';
}
