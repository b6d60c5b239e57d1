import * as l10n from '@vscode/l10n';
import * as z from 'zod';
import { mostShownImages } from '../../protocol/evaluationPanel.ts';
import type { ImageTable } from '../../protocol/imageTable.ts';
import { binOf, calibration } from '../../protocol/calibration.ts';
import { images, percent } from '../../charts/format.ts';
import { classNames, imagesBehind, type ImageResult } from './confusions.ts';
import { onlyRightBy, type TestPair } from './cropComparison.ts';
import { shownSlices, slicesBySchema, sliceTitle } from './shownSlices.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import type { ShownScores } from './shownScores.ts';

const crops = z.union([z.literal(1), z.literal(5)]);

/** Images of a test that belong together, of which one group is shown. */
export const imageGroupSchema = z.discriminatedUnion('kind', [
  /** A cell of the confusion matrix. */
  z.object({ kind: z.literal('cell'), actual: z.number().int(), predicted: z.number().int() }),
  /** A bar of the reliability diagram. */
  z.object({ kind: z.literal('bin'), place: z.number().int() }),
  /** What a threshold of the confidence accepts or rejects, of the predictions that are right or wrong. */
  z.object({ kind: z.literal('confidence'), threshold: z.number(), accepted: z.boolean(), right: z.boolean() }),
  /** What is right by so many crops and not by the others. */
  z.object({ kind: z.literal('crops'), right: crops }),
  z.object({ kind: z.literal('slice'), of: slicesBySchema, name: z.string() }),
  /** Images that the host names: the first of so many. */
  z.object({
    kind: z.literal('named'),
    title: z.string(),
    paths: z.array(z.string()).max(mostShownImages),
    of: z.number().int(),
  }),
  /** What a threshold of a curve finds, misses, or calls wrongly. */
  z.object({
    kind: z.literal('curve'),
    of: z.union([z.number().int(), z.literal('micro')]),
    threshold: z.number(),
    part: z.enum(['found', 'missed', 'wronglyCalled']),
  }),
]);
export type ImageGroup = z.infer<typeof imageGroupSchema>;

export type GroupOfImages = { title: string; results: ImageResult[] };

/** What some groups depend on besides the test: its probabilities and a table of its images. */
export type KnownBesides = { scores?: ShownScores | undefined; table?: ImageTable | undefined };

/** The images of a group and what to call them; none if what the group depends on is not known. */
export function imagesOf(
  group: ImageGroup,
  evaluation: ShownEvaluation,
  pair: TestPair,
  { scores, table }: KnownBesides = {},
): GroupOfImages {
  switch (group.kind) {
    case 'cell': {
      const name = classNames(evaluation);
      const results = imagesBehind(evaluation, group.actual, group.predicted);
      const title = l10n.t(
        '{0} predicted as {1}: {2}',
        name(group.actual),
        name(group.predicted),
        images(results.length),
      );
      return { title, results };
    }
    case 'bin': {
      const results = evaluation.results.filter(({ probability }) => binOf(probability) === group.place);
      const bin = calibration(evaluation.results).bins[group.place];
      const [from, to] = [percent(bin?.from ?? 0, 0), percent(bin?.to ?? 0, 0)];
      const title = l10n.t('Confidence from {0} to {1}: {2}', from, to, images(results.length));
      return { title, results: wrongFirst(results) };
    }
    case 'confidence':
      return byConfidence(group, evaluation);
    case 'crops': {
      const results = onlyRightBy(group.right, pair);
      const number = images(results.length);
      const title =
        group.right === 1
          ? l10n.t('Right by one crop alone: {0}', number)
          : l10n.t('Right by five crops alone: {0}', number);
      return { title, results };
    }
    case 'slice': {
      const slice = shownSlices(evaluation, group.of, table).slices.find(({ name }) => name === group.name);
      const results = slice?.results ?? [];
      const title = l10n.t('{0}: {1}', sliceTitle(group.of, group.name, table), images(results.length));
      return { title, results: wrongFirst(results) };
    }
    case 'named': {
      const byPath = new Map(evaluation.results.map((result) => [result.image, result]));
      const results = group.paths.flatMap((path) => byPath.get(path) ?? []);
      const number =
        results.length === group.of ? images(group.of) : l10n.t('{0} of {1}', String(results.length), images(group.of));
      return { title: l10n.t('{0}: {1}', group.title, number), results };
    }
    case 'curve': {
      const results = scores?.behind(group.of, group.threshold)[group.part] ?? [];
      const what = group.of === 'micro' ? l10n.t('their class') : classNames(evaluation)(group.of);
      const at = percent(group.threshold);
      return { title: curveTitles[group.part](what, at, images(results.length)), results: wrongFirst(results) };
    }
  }
}

const curveTitles: Record<
  Extract<ImageGroup, { kind: 'curve' }>['part'],
  (what: string, at: string, number: string) => string
> = {
  // prettier-ignore
  found: (what, at, number) => l10n.t('Found as {0} at a threshold of {1}: {2}', what, at, number),
  missed: (what, at, number) => l10n.t('Missed as {0} at a threshold of {1}: {2}', what, at, number),
  wronglyCalled: (what, at, number) => l10n.t('Not {0}, though called so at a threshold of {1}: {2}', what, at, number),
};

function byConfidence(
  { threshold, accepted, right }: Extract<ImageGroup, { kind: 'confidence' }>,
  { results }: ShownEvaluation,
): GroupOfImages {
  const found = results
    .filter((result) => result.probability >= threshold === accepted)
    .filter((result) => (result.actual === result.predicted) === right)
    .toSorted((a, b) => b.probability - a.probability);
  const number = images(found.length);
  if (accepted) return { title: right ? l10n.t('Accepted and right: {0}', number) : l10n.t('Accepted and wrong: {0}', number), results: found }; // prettier-ignore
  return { title: right ? l10n.t('Rejected, though right: {0}', number) : l10n.t('Rejected and wrong: {0}', number), results: found }; // prettier-ignore
}

function wrongFirst(results: readonly ImageResult[]): ImageResult[] {
  const right = ({ actual, predicted }: ImageResult) => Number(actual === predicted);
  return results.toSorted((a, b) => right(a) - right(b) || b.probability - a.probability);
}
