import type { SplitName } from '../../protocol/dataReport.ts';

/** An image that a source gives a class. */
export interface LabelledImage {
  /** Absolute path. */
  readonly file: string;
  /** Its class, as the source names it. */
  readonly label: string;
  /** Undefined where the source does not say. */
  readonly split?: SplitName | undefined;
}

/** Files that are not imported, and why. */
export interface NotImported {
  /** A few words: “not there”. */
  readonly reason: string;
  /** As the source names them. */
  readonly files: readonly string[];
}

/** What a source holds. */
export interface FoundImages {
  readonly images: readonly LabelledImage[];
  readonly left: readonly NotImported[];
  /** Sentences on how the source was read, where it could be read otherwise. */
  readonly notes: readonly string[];
  /** Display names by label, where the source has some. */
  readonly names?: ReadonlyMap<string, string>;
}

/** Collects what is left out by its reason. */
export function createLeft(): {
  readonly add: (reason: string, file: string) => void;
  readonly all: () => FoundImages['left'];
} {
  const files = new Map<string, string[]>();
  return {
    add: (reason, file) => {
      const list = files.get(reason);
      if (list) list.push(file);
      else files.set(reason, [file]);
    },
    all: () => [...files].map(([reason, list]) => ({ reason, files: list })),
  };
}
