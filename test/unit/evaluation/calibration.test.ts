import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classCurve, curveMeans, microCurve } from '../../../src/protocol/classCurves.ts';
import { calibration } from '../../../src/protocol/calibration.ts';
import { acceptedAt, rejectThreshold, riskCoverage } from '../../../src/protocol/rejection.ts';
import cases from '../../fixtures/sklearn_calibration.json' with { type: 'json' };

type Case = (typeof cases)['many equal probabilities'];

function near(ours: readonly number[], theirs: readonly number[], what: string): void {
  assert.equal(ours.length, theirs.length, what);
  theirs.forEach((value, place) => {
    assert.ok(Math.abs((ours[place] ?? NaN) - value) < 1e-12, `${what} ${place}: ${ours[place]} is not ${value}`);
  });
}

/** Images as a test's result has them. */
function resultsOf({ actual, probabilities }: Pick<Case, 'actual' | 'probabilities'>) {
  return actual.map((own, image) => {
    const row = probabilities[image] ?? [];
    const probability = Math.max(...row);
    return { actual: own, predicted: row.indexOf(probability), probability };
  });
}

for (const [name, expected] of Object.entries(cases) as [string, Case][]) {
  const results = resultsOf(expected);

  test(`the calibration error and the reliability diagram are those of scikit-learn: ${name}`, () => {
    const { expectedError, bins } = calibration(results);
    near([expectedError], [expected.expectedError], 'expected calibration error');
    near(bins.map(({ images }) => images), expected.counts, 'images'); // prettier-ignore
    const filled = bins.filter(({ images }) => images > 0);
    near(filled.map(({ confidence }) => confidence), expected.confidence, 'confidence'); // prettier-ignore
    near(filled.map(({ accuracy }) => accuracy), expected.accuracy, 'accuracy'); // prettier-ignore
  });

  test(`precision-recall and ROC curves of each class, and what lies under them, are those of scikit-learn: ${name}`, () => {
    const images = expected.actual.map((actual, image) => ({
      actual,
      probabilities: Float64Array.from(expected.probabilities[image] ?? []),
    }));
    const labels = (expected.probabilities[0] ?? []).map((_, index) => ({ index, folder: `${index}`, name: '' }));
    const curves = labels.flatMap((label) => classCurve(label, label.index, images) ?? []);
    near(curves.map(({ index }) => index), expected.curves.map(({ index }) => index), 'classes with images'); // prettier-ignore
    curves.forEach(({ points, averagePrecision, areaUnderRoc = NaN }, place) => {
      const curve = expected.curves[place];
      assert.ok(curve);
      near(points.map(({ precision }) => precision), curve.precision, 'precision'); // prettier-ignore
      near(points.map(({ recall }) => recall), curve.recall, 'recall'); // prettier-ignore
      near(points.map(({ recall }) => recall), curve.truePositiveRate, 'true positive rate'); // prettier-ignore
      near(points.map((point) => point.falsePositiveRate), curve.falsePositiveRate, 'false positive rate'); // prettier-ignore
      near(points.flatMap(({ threshold }) => threshold ?? []), curve.thresholds, 'thresholds'); // prettier-ignore
      near([averagePrecision, areaUnderRoc], [curve.averagePrecision, curve.areaUnderRoc], 'area');
    });
    const means = curveMeans(curves);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    near([means.averagePrecision ?? NaN], [mean(expected.curves.map((curve) => curve.averagePrecision))], 'mean');
    near([means.areaUnderRoc ?? NaN], [mean(expected.curves.map((curve) => curve.areaUnderRoc))], 'mean');
  });

  test(`the curves of all classes together are those of scikit-learn’s micro average: ${name}`, () => {
    const images = expected.actual.map((actual, image) => ({
      actual,
      probabilities: Float64Array.from(expected.probabilities[image] ?? []),
    }));
    const labels = (expected.probabilities[0] ?? []).map((_, index) => ({ index }));
    const { averagePrecision, areaUnderRoc = NaN, points } = microCurve(labels, images);
    near([averagePrecision, areaUnderRoc], [expected.micro.averagePrecision, expected.micro.areaUnderRoc], 'area');
    assert.deepEqual([points.at(-1)?.recall, points.at(-1)?.falsePositiveRate], [1, 1]);
  });

  test(`the reject threshold is the smallest that reaches the target error, by trying all: ${name}`, () => {
    for (const { target, threshold } of expected.targets) {
      const found = rejectThreshold(results, target);
      if (threshold === null) {
        assert.equal(found, undefined);
        continue;
      }
      const rejected = results.map(({ probability }) => probability).filter((each) => each < threshold);
      assert.ok(found && found.threshold <= threshold && found.threshold >= 0);
      assert.ok(rejected.every((each) => each < found.threshold));
      assert.ok(found.error <= target);
      assert.deepEqual(acceptedAt(results, found.threshold), found);
    }
  });

  test(`risk and coverage are those of each threshold tried alone: ${name}`, () => {
    const { points, area } = riskCoverage(results);
    assert.equal(points[0]?.coverage, 1);
    for (const point of points) assert.deepEqual(acceptedAt(results, point.threshold), point);
    // The area is the mean over many orders of images of the same confidence, here over all places of the wrong ones.
    const sorted = [...results].sort((a, b) => b.probability - a.probability);
    const wrongAmong = (count: number) => {
      const last = sorted[count - 1]?.probability ?? 0;
      const wrong = (images: typeof sorted) => images.filter(({ actual, predicted }) => actual !== predicted).length;
      const surer = sorted.filter(({ probability }) => probability > last);
      const alike = sorted.filter(({ probability }) => probability === last);
      return wrong(surer) + ((count - surer.length) * wrong(alike)) / alike.length;
    };
    const risks = sorted.map((_, place) => wrongAmong(place + 1) / (place + 1));
    near([area], [risks.reduce((sum, risk) => sum + risk, 0) / risks.length], 'area');
  });
}

test('a threshold is halfway between what it accepts and what it rejects', () => {
  const results = [0.9, 0.7, 0.4].map((probability, place) => ({
    actual: 0,
    predicted: Number(place === 2),
    probability,
  }));
  assert.ok(Math.abs((rejectThreshold(results, 0.1)?.threshold ?? 0) - 0.55) < 1e-12);
});

test('a target that the surest prediction already misses has no threshold', () => {
  const surestWrong = [
    { actual: 0, predicted: 1, probability: 0.9 },
    { actual: 0, predicted: 0, probability: 0.5 },
  ];
  assert.equal(rejectThreshold(surestWrong, 0.1), undefined);
  assert.deepEqual(rejectThreshold(surestWrong, 0.5), { threshold: 0, accepted: 2, coverage: 1, error: 0.5 });
});

test('a confidence on the edge of two bins counts in the lower, and one that rounding took above 1 in the last', () => {
  const { bins } = calibration([0, 0.2, 1, 1.001].map((probability) => ({ actual: 0, predicted: 0, probability })));
  assert.deepEqual(
    bins.flatMap(({ images }, place) => (images > 0 ? [[place, images]] : [])),
    [
      [0, 1],
      [2, 1],
      [14, 2],
    ],
  );
});

test('a class that all images are of has no ROC curve’s area, and a class without images no curve', () => {
  const images = [0.9, 0.4].map((share) => ({ actual: 0, probabilities: Float64Array.of(share, 1 - share) }));
  const curve = classCurve({ index: 0, folder: 'a', name: 'a' }, 0, images);
  assert.deepEqual([curve?.averagePrecision, curve?.areaUnderRoc], [1, undefined]);
  assert.equal(classCurve({ index: 1, folder: 'b', name: 'b' }, 1, images), undefined);
});
