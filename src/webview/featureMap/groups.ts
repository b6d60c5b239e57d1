import * as l10n from '@vscode/l10n';
import { mostLooks, nthLook, type PointLook } from '../../charts/pointLook.ts';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import type { MapTest } from '../../protocol/featureMapPanel.ts';

/** Points that are drawn alike, as the legend lists them; without a look they are in the background, where nothing can be pointed at. */
export type Group = { key: string; title: string; count: number; look: PointLook | undefined };

/** What points are coloured by: the groups, and each point's own. */
export type Grouping = { groups: readonly Group[]; groupOf: Int32Array; looksRepeat: boolean };

/** What was predicted of an image. */
export type Verdict = { predicted: string; probability: number; isRight: boolean };

/** Groups by class. With more classes than looks, those that are set apart have the first ones. */
export function classGroups({ classes, images }: FeatureMap, apart: readonly string[], colors: number): Grouping {
  const counts = new Uint32Array(classes.length);
  const groupOf = Int32Array.from(images, ({ classIndex }) => classIndex);
  for (const index of groupOf) counts[index] = (counts[index] ?? 0) + 1;
  const isFew = classes.length <= mostLooks(colors);
  let next = 0;
  const groups = classes.map(({ folder, name }, index): Group => {
    const isDrawn = apart.length === 0 || apart.includes(folder);
    const position = isFew || apart.length === 0 ? index : next;
    if (isDrawn) next++;
    const look = isDrawn ? nthLook(position, colors) : undefined;
    return { key: folder, title: name, count: counts[index] ?? 0, look };
  });
  return { groups, groupOf, looksRepeat: next > mostLooks(colors) };
}

/** Below it a right prediction counts as unsure. */
export const unsureBelow = 0.5;

/** Blue circles, orange triangles and red squares, of the theme's colours for curves; gray circles are not tested. */
const outcomeLooks: readonly PointLook[] = [
  { color: 0, marker: 'circle' },
  { color: 1, marker: 'triangle' },
  { color: 4, marker: 'square' },
  { color: undefined, marker: 'circle' },
];

/** Groups by what became of the predictions. */
export function outcomeGroups(verdicts: readonly (Verdict | undefined)[], apart: readonly string[]): Grouping {
  const groupOf = Int32Array.from(verdicts, (verdict) => {
    if (!verdict) return 3;
    if (!verdict.isRight) return 2;
    return verdict.probability < unsureBelow ? 1 : 0;
  });
  const titles = [l10n.t('Right'), l10n.t('Unsure'), l10n.t('Wrong'), l10n.t('Not tested')];
  const groups = titles.map((title, index): Group => {
    const key = ['right', 'unsure', 'wrong', 'untested'][index] ?? '';
    const isDrawn = apart.length === 0 || apart.includes(key);
    const look = isDrawn ? outcomeLooks[index] : undefined;
    return { key, title, count: groupOf.filter((group) => group === index).length, look };
  });
  const isUntested = (groups[3]?.count ?? 0) > 0;
  return { groups: isUntested ? groups : groups.slice(0, 3), groupOf, looksRepeat: false };
}

/** What the head says of each image that was fitted without it. */
export function headVerdicts({ images, classes }: FeatureMap): Verdict[] {
  return images.map(({ classIndex, likely, probability }) => ({
    predicted: classes[likely]?.name ?? '',
    probability,
    isRight: likely === classIndex,
  }));
}

/** What a test says of each image; undefined for those that were not tested. */
export function testVerdicts({ images }: FeatureMap, test: MapTest): (Verdict | undefined)[] {
  const tested = new Map(test.images.map((each) => [each.image, each]));
  return images.map(({ image }) => tested.get(image));
}

/** Groups with those of `wanted` set apart that there are: a class may have another name since, or be gone. */
export function setApart(
  groupsFor: (apart: readonly string[]) => Grouping,
  wanted: readonly string[],
): { grouping: Grouping; apart: readonly string[] } {
  const all = groupsFor([]);
  const apart = wanted.filter((each) => all.groups.some(({ key }) => key === each));
  return { grouping: apart.length === 0 ? all : groupsFor(apart), apart };
}
