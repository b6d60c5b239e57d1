import type { Classifier } from './classifier.ts';

/** The same classifier with other display names, by class folder; classes that `names` does not have keep theirs. */
export function renameClasses(classifier: Classifier, names: ReadonlyMap<string, string>): Classifier {
  const labels = classifier.labels.map((label) => ({ ...label, name: names.get(label.folder) ?? label.name }));
  return { ...classifier, labels };
}
