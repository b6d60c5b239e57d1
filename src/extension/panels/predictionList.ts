import type { FailedPrediction } from '../../protocol/prediction.ts';
import type { PredictionPanelToPage, ShownPrediction } from '../../protocol/predictionPanel.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import { gatherMessages } from './gatherMessages.ts';

/** Predictions of one message; each has a thumbnail of some thousand bytes. */
const resultsPerMessage = 50;

/** What was found of an image. */
type Found = ShownPrediction | FailedPrediction;

/** The images of the prediction panel in their order, and what was found of each. The page is told of every change. */
export interface PredictionList {
  /** Images and folders, as they were asked for. */
  readonly paths: readonly string[];
  /** Images that were taken off, of which some may lie in those folders. */
  readonly removed: readonly string[];
  readonly isEmpty: boolean;
  /** Images and folders of which nothing was found, or of whose crops some are missing. */
  readonly lacking: (crops: CropCount) => string[];
  /** Begins anew with these. */
  readonly reset: (paths: readonly string[], removed: readonly string[]) => void;
  /** Adds those that are not there yet, and returns whether there are any. */
  readonly add: (paths: readonly string[]) => boolean;
  readonly remove: (image: string) => void;
  /** Puts the images that folders among `wanted` hold in the folders' place. */
  readonly expand: (wanted: readonly string[], images: readonly string[]) => void;
  readonly keep: (image: string, found: Found) => void;
  readonly forgetFound: () => void;
  /** Tells at once what `keep` gathers. */
  readonly flush: () => void;
  /** Says everything to a page that begins anew. */
  readonly replay: () => void;
  readonly dispose: () => void;
}

export function createPredictionList(post: (message: PredictionPanelToPage) => void): PredictionList {
  let paths: readonly string[] = [];
  const removed = new Set<string>();
  /** Undefined for what is not classified, and for a folder whose images are not known. */
  const list = new Map<string, Found | undefined>();
  const gathered = gatherMessages<Found>((found) => post(resultsMessage(found)));

  const postImages = (): void => post({ type: 'images', images: [...list.keys()] });
  const begin = (): void => {
    gathered.clear();
    post({ type: 'clear' });
    postImages();
  };
  return {
    get paths() {
      return paths;
    },
    get removed() {
      return [...removed];
    },
    get isEmpty() {
      return list.size === 0;
    },
    lacking: (crops) => [...list].flatMap(([path, found]) => (lacks(found, crops) ? [path] : [])),
    reset: (wanted, without) => {
      paths = [...new Set(wanted)];
      removed.clear();
      for (const image of without) removed.add(image);
      list.clear();
      for (const path of paths) list.set(path, undefined);
      begin();
    },
    add: (wanted) => {
      for (const path of wanted) removed.delete(path);
      const fresh = [...new Set(wanted)].filter((path) => !paths.includes(path) && !list.has(path));
      if (fresh.length === 0) return false;
      paths = [...paths, ...fresh];
      for (const path of fresh) list.set(path, undefined);
      postImages();
      return true;
    },
    remove: (image) => {
      if (!list.delete(image)) return;
      paths = paths.filter((path) => path !== image);
      removed.add(image);
      postImages();
    },
    expand: (wanted, images) => {
      const found = new Set(images);
      for (const path of wanted) if (!found.has(path)) list.delete(path);
      for (const image of found) if (!list.has(image) && !removed.has(image)) list.set(image, undefined);
      postImages();
    },
    keep: (image, found) => {
      // One that was taken off the list meanwhile is not there.
      if (!list.has(image)) return;
      list.set(image, found);
      gathered.add(found);
    },
    forgetFound: () => {
      for (const path of list.keys()) list.set(path, undefined);
      begin();
    },
    flush: gathered.flush,
    replay: () => {
      begin();
      const found = [...list.values()].filter((one) => one !== undefined);
      for (const some of inMessages(found)) post(resultsMessage(some));
    },
    dispose: gathered.clear,
  };
}

function lacks(found: Found | undefined, crops: CropCount): boolean {
  return found === undefined || ('prediction' in found && found.prediction.crops.length < crops);
}

function resultsMessage(found: readonly Found[]): PredictionPanelToPage {
  return {
    type: 'results',
    predictions: found.filter((one): one is ShownPrediction => 'prediction' in one),
    failed: found.filter((one): one is FailedPrediction => 'error' in one),
  };
}

/** Slices that each fit into one message. */
function inMessages<Item>(items: readonly Item[]): Item[][] {
  const parts = Math.ceil(items.length / resultsPerMessage);
  return Array.from({ length: parts }, (_, at) => items.slice(at * resultsPerMessage, (at + 1) * resultsPerMessage));
}
