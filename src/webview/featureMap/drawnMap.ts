import type { FeatureMap, PlacedImage } from '../../protocol/featureMap.ts';
import type { MapTest } from '../../protocol/featureMapPanel.ts';
import { classGroups, headVerdicts, outcomeGroups, setApart, testVerdicts, type Verdict } from './groups.ts';
import type { MapContent } from './mapCanvas.ts';
import { byClass, byHead } from './mapTexts.ts';
import type { FeatureMapPageState } from './pageState.ts';
import type { SelectedImage } from './selectionSection.ts';

/** What follows from a map, the tests and the page's state. */
export type DrawnMap = {
  map: FeatureMap;
  content: MapContent;
  verdicts: readonly (Verdict | undefined)[];
  selected: readonly SelectedImage[];
  /** Keys of the groups that are set apart, of those that there are. */
  apart: readonly string[];
};

/** An image's file. */
export function fileOf({ data }: FeatureMap, { image }: PlacedImage): string {
  return `${data}/${image}`;
}

/** What is coloured by: a test that is gone was of other features. */
export function colorByOf({ colorBy }: FeatureMapPageState, tests: readonly MapTest[]): string {
  return colorBy === byClass || tests.some(({ title }) => title === colorBy) ? colorBy : byHead;
}

/** `places` are those of the map's images, `colors` how many colours the theme has. */
export function drawnMap(
  map: FeatureMap,
  places: Float32Array,
  tests: readonly MapTest[],
  state: FeatureMapPageState,
  colors: number,
): DrawnMap {
  const { classes, images } = map;
  const colorBy = colorByOf(state, tests);
  const test = tests.find(({ title }) => title === colorBy);
  const verdicts = test ? testVerdicts(map, test) : headVerdicts(map);
  const groupsFor = (keys: readonly string[]) => colorBy === byClass ? classGroups(map, keys, colors) : outcomeGroups(verdicts, keys); // prettier-ignore
  const { grouping, apart } = setApart(groupsFor, state.apart);
  const chosen = new Set(state.selected);
  const selected = new Set(images.flatMap(({ image }, at) => (chosen.has(image) ? [at] : [])));
  const shown = images.flatMap((placed, at): SelectedImage[] => {
    if (!selected.has(at)) return [];
    return [{ file: fileOf(map, placed), className: classes[placed.classIndex]?.name ?? '', verdict: verdicts[at] }];
  });
  return { map, content: { places, grouping, selected }, verdicts, selected: shown, apart };
}

/** Paths of the images of some points. */
export function imagesAt({ map }: DrawnMap, isWanted: (point: number) => boolean): string[] {
  return map.images.filter((_, at) => isWanted(at)).map(({ image }) => image);
}
