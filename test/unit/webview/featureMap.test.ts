import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostLooks, nthLook } from '../../../src/charts/pointLook.ts';
import { markers } from '../../../src/charts/runStyle.ts';
import { createRandom } from '../../../src/ml/graph/random.ts';
import type { FeatureMap } from '../../../src/protocol/featureMap.ts';
import { classGroups, headVerdicts, outcomeGroups, setApart, testVerdicts } from '../../../src/webview/featureMap/groups.ts'; // prettier-ignore
import { nearestPoint, pointsInside, pointTowards, selectionAfter, type Points } from '../../../src/webview/featureMap/points.ts'; // prettier-ignore
import { movedBy, showing, toMap, toScreen, wholeMap, zoomedAt, type Place } from '../../../src/webview/featureMap/viewport.ts'; // prettier-ignore

function pointsAt(...places: Place[]): Points {
  return { places: Float32Array.from(places.flat()), isActive: () => true };
}

function mapOf(classes: number, labels: readonly [own: number, likely: number, probability: number][]): FeatureMap {
  return {
    ...{ data: '/data', seed: 0, leftOut: [] },
    classes: Array.from({ length: classes }, (_, index) => ({ folder: `f${index}`, name: `class ${index}` })),
    images: labels.map(([classIndex, likely, probability], at) => ({ image: `${at}.jpg`, classIndex, likely, probability, x: 0, y: 0 })), // prettier-ignore
  };
}

test('a lasso selects what lies inside it, also where it bends inwards and crosses itself', () => {
  const points = pointsAt([0.1, 0.1], [0.5, 0.5], [0.9, 0.9], [0.5, 0.1]);
  const square: Place[] = [[0, 0], [1, 0], [1, 1], [0, 1]]; // prettier-ignore
  assert.deepEqual(pointsInside(points, square), [0, 1, 2, 3]);
  // A bay reaches from above to the middle.
  const bay: Place[] = [[0, 0], [0.4, 0], [0.5, 0.6], [0.6, 0], [1, 0], [1, 1], [0, 1]]; // prettier-ignore
  assert.deepEqual(pointsInside(points, bay), [0, 2]);
  const hourglass: Place[] = [[0, 0], [1, 1], [1, 0], [0, 1]]; // prettier-ignore
  assert.deepEqual(pointsInside(pointsAt([0.1, 0.5], [0.5, 0.1], [0.9, 0.5]), hourglass), [0, 2]);
  assert.deepEqual(pointsInside(points, [[0, 0]]), []);
});

test('a lasso selects as many random points as lie inside a triangle by its three sides', () => {
  const seed = 17;
  const random = createRandom(seed);
  const places = Array.from({ length: 500 }, (): Place => [random.next(), random.next()]);
  const [a, b, c]: [Place, Place, Place] = [[0.1, 0.2], [0.9, 0.4], [0.3, 0.8]]; // prettier-ignore
  const side = ([px, py]: Place, [qx, qy]: Place, [x, y]: Place) => (qx - px) * (y - py) - (qy - py) * (x - px);
  const expected = places.flatMap((place, at) => {
    const signs = [side(a, b, place), side(b, c, place), side(c, a, place)].map(Math.sign);
    return new Set(signs).size === 1 ? [at] : [];
  });
  assert.deepEqual(pointsInside(pointsAt(...places), [a, b, c]), expected, `seed ${seed}`);
});

test('points in the background are neither pointed at, nor walked to, nor selected', () => {
  const points = { ...pointsAt([0.5, 0.5], [0.6, 0.5], [0.9, 0.5]), isActive: (point: number) => point !== 1 };
  assert.equal(nearestPoint(points, [0.6, 0.5], 0.2), 0);
  assert.equal(pointTowards(points, [0.5, 0.5], [1, 0], 0.01), 2);
  assert.deepEqual(pointsInside(points, [[0, 0], [1, 0], [1, 1], [0, 1]]), [0, 2]); // prettier-ignore
});

test('the pointer finds the nearest point in reach, of two in one place that on top', () => {
  const points = pointsAt([0.5, 0.5], [0.52, 0.5], [0.52, 0.5]);
  assert.equal(nearestPoint(points, [0.505, 0.5], 0.1), 0);
  assert.equal(nearestPoint(points, [0.519, 0.5], 0.1), 2);
  assert.equal(nearestPoint(points, [0.7, 0.5], 0.1), undefined);
});

test('an arrow key leads to the nearest point in its direction, and nowhere at the edge', () => {
  const points = pointsAt([0.5, 0.5], [0.6, 0.55], [0.7, 0.5], [0.5, 0.4], [0.5001, 0.5]);
  const from: Place = [0.5, 0.5];
  assert.equal(pointTowards(points, from, [1, 0], 0.01), 1);
  assert.equal(pointTowards(points, from, [1, 0], 0.00001), 4, 'also a step too small to see, if it is asked for');
  assert.equal(pointTowards(points, from, [0, -1], 0.01), 3);
  assert.equal(pointTowards(points, from, [-1, 0], 0.01), undefined);
});

test('what is picked replaces a selection, adds to it or leaves it', () => {
  const selected = new Set([1, 2]);
  assert.deepEqual([...selectionAfter(selected, [3], 'replace')], [3]);
  assert.deepEqual([...selectionAfter(selected, [2, 3], 'add')], [1, 2, 3]);
  assert.deepEqual([...selectionAfter(selected, [2, 3], 'remove')], [1]);
});

test('what lies under the pointer stays there while the map is enlarged and made smaller', () => {
  const size = { width: 800, height: 600 };
  const pointer: Place = [350, 250];
  const under = toMap(wholeMap, size, pointer);
  const enlarged = zoomedAt(wholeMap, size, 3, pointer);
  const there = toScreen(enlarged, size, under);
  assert.ok(Math.hypot(there[0] - pointer[0], there[1] - pointer[1]) < 1e-9);
  assert.deepEqual(zoomedAt(enlarged, size, 0.1, pointer), wholeMap, 'it gets no smaller than the window');
  const moved = movedBy(enlarged, size, [10, -20]);
  const after = toScreen(moved, size, under);
  assert.ok(Math.hypot(after[0] - there[0] - 10, after[1] - there[1] + 20) < 1e-9);
  assert.deepEqual(movedBy(enlarged, size, [-1e9, 0]).x, 1, 'it cannot be lost beside the window');
});

test('the map moves to a point that keys lead to outside of it, and stays for one that is seen', () => {
  const size = { width: 800, height: 600 };
  const enlarged = { x: 0.2, y: 0.2, scale: 10 };
  assert.equal(showing(enlarged, size, [0.21, 0.2]), enlarged);
  assert.deepEqual(showing(enlarged, size, [0.9, 0.9]), { x: 0.9, y: 0.9, scale: 10 });
});

test('no two of the first looks are alike in colour and shape', () => {
  for (const colors of [5, 6, 8]) {
    const looks = Array.from({ length: mostLooks(colors) }, (_, at) => nthLook(at, colors));
    assert.equal(new Set(looks.map(({ color, marker }) => `${color} ${marker}`)).size, colors * markers.length);
    assert.notEqual(looks[0]?.marker, looks[1]?.marker, 'neighbours differ in shape too');
  }
});

test('with 102 classes looks repeat and say so; classes that are set apart have looks of their own', () => {
  const map = mapOf(102, [[0, 0, 1], [24, 24, 1], [50, 50, 1]]); // prettier-ignore
  assert.equal(classGroups(map, [], 6).looksRepeat, true);
  const { groups, looksRepeat } = classGroups(map, ['f0', 'f24'], 6);
  assert.equal(looksRepeat, false);
  assert.deepEqual(groups.flatMap(({ key, look }) => (look ? [key] : [])), ['f0', 'f24']); // prettier-ignore
  assert.notDeepEqual(groups[0]?.look, groups[24]?.look);
  const few = mapOf(8, [[0, 0, 1]]);
  assert.deepEqual(classGroups(few, ['f7'], 6).groups[7]?.look, classGroups(few, [], 6).groups[7]?.look, 'with few classes each keeps its look'); // prettier-ignore
});

test('images are right, unsure or wrong by the head, and by a test only those that it was of', () => {
  const map = mapOf(2, [[0, 0, 0.9], [0, 0, 0.4], [0, 1, 0.6]]); // prettier-ignore
  const counts = (...given: Parameters<typeof outcomeGroups>) => outcomeGroups(...given).groups.map(({ key, count }) => [key, count]); // prettier-ignore
  assert.deepEqual(counts(headVerdicts(map), []), [['right', 1], ['unsure', 1], ['wrong', 1]]); // prettier-ignore
  const tested = { title: 'test', images: [{ image: '2.jpg', predicted: 'class 0', probability: 0.8, isRight: true }] };
  const verdicts = testVerdicts(map, tested);
  assert.deepEqual(counts(verdicts, []), [['right', 1], ['unsure', 0], ['wrong', 0], ['untested', 2]]); // prettier-ignore
  const { groups, groupOf } = outcomeGroups(verdicts, []);
  assert.deepEqual([...groupOf].map((group) => groups[group]?.look?.color !== undefined), [false, false, true]); // prettier-ignore
});

test('a class that was set apart and is gone does not leave all others in the background', () => {
  const map = mapOf(2, [[0, 0, 0.9], [1, 1, 0.4]]); // prettier-ignore
  const drawn = (wanted: string[]) => {
    const { apart, grouping } = setApart((keys) => classGroups(map, keys, 6), wanted);
    return [apart, grouping.groups.map(({ look }) => look !== undefined)];
  };
  assert.deepEqual(drawn(['renamed']), [[], [true, true]]);
  assert.deepEqual(drawn(['renamed', 'f1']), [['f1'], [false, true]]);
});
