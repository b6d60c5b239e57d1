import type { CheckpointMetadata } from './checkpointMetadata.ts';

/** What is said of the licence of the weights that a file is made from, when it is exported; undefined where none is known. */
export function licenceNote({ licence }: Pick<CheckpointMetadata, 'licence'>): string | undefined {
  if (licence === undefined) return undefined;
  return `The weights that it started from are under the license ${licence}; its terms apply to this file too.`;
}
