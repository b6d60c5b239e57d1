import type { CheckpointMetadata } from './checkpointMetadata.ts';

/** What is said of the licence of the weights that a file is made from, when it is exported; undefined where none is known. */
export function licenceNote({ licence }: Pick<CheckpointMetadata, 'licence'>): string | undefined {
  if (licence === undefined) return undefined;
  return `The weights that it began with are under the licence ${licence}, whose terms go with the file.`;
}
