import type { Points } from '../../charts/downsample.ts';
import { meanLine, precisionRecallLine, rocLine } from '../../charts/scoreLines.ts';
import {
  classCurve,
  microCurve,
  type ClassCurve,
  type ScoreCurve,
  type ScoredImage,
} from '../../protocol/classCurves.ts';
import { type KeptProbabilities, scoredImages } from '../../protocol/keptProbabilities.ts';
import type { ImageResult } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

/** The probabilities of a test with the curves that follow from them, which are made when they are asked for first. */
export type ShownScores = {
  /** How many classes the network knows. */
  readonly classes: number;
  /** Of each class with images, in the order of the classes. */
  readonly curves: () => readonly ClassCurve[];
  /** Of all classes together. */
  readonly micro: () => ScoreCurve;
  /** The mean of the classes' lines, of precision-recall curves and of ROC curves. */
  readonly means: () => { readonly recall: Points; readonly falsePositiveRate: Points };
  /** Images whose class's probability is the threshold or more, those of the class and others; and those of the class that are below. */
  readonly behind: (of: number | 'micro', threshold: number) => ScoreGroups;
};

/** What a threshold makes of images. */
export type ScoreGroups = {
  found: readonly ImageResult[];
  missed: readonly ImageResult[];
  wronglyCalled: readonly ImageResult[];
  /** How often images are called a wrong class: with `micro`, an image may be called several. */
  wrongCalls: number;
};

/** Undefined where the probabilities are not those of the test. */
export function shownScores(evaluation: ShownEvaluation, kept: KeptProbabilities): ShownScores | undefined {
  const { results, perClass } = evaluation;
  const images = scoredImages(evaluation, kept);
  if (!images) return undefined;
  const columns = new Map(kept.classes.map((index, column) => [index, column]));
  const scoreOf = ({ probabilities }: ScoredImage, index: number) => probabilities[columns.get(index) ?? -1] ?? 0;
  const curves = once(() =>
    perClass.flatMap(({ index, folder, name }) => {
      const column = columns.get(index);
      return column === undefined ? [] : (classCurve({ index, folder, name }, column, images) ?? []);
    }),
  );
  return {
    classes: kept.classes.length,
    curves,
    means: once(() => ({
      recall: meanLine(curves().map(({ points }) => precisionRecallLine(points)), 'before'), // prettier-ignore
      falsePositiveRate: meanLine(curves().map(({ points }) => rocLine(points)), 'after'), // prettier-ignore
    })),
    micro: once(() => microCurve(kept.classes.map((index) => ({ index })), images)), // prettier-ignore
    behind: (of, threshold) => {
      const groups = { found: [] as ImageResult[], missed: [] as ImageResult[], wronglyCalled: [] as ImageResult[] };
      let wrongCalls = 0;
      results.forEach((result, at) => {
        const image = images[at];
        if (!image) return;
        const isOwn = of === 'micro' || result.actual === of;
        if (isOwn) groups[scoreOf(image, result.actual) >= threshold ? 'found' : 'missed'].push(result);
        const others = of === 'micro' ? kept.classes.filter((index) => index !== result.actual) : isOwn ? [] : [of];
        const calls = others.filter((index) => scoreOf(image, index) >= threshold).length;
        if (calls > 0) groups.wronglyCalled.push(result);
        wrongCalls += calls;
      });
      return { ...groups, wrongCalls };
    },
  };
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
