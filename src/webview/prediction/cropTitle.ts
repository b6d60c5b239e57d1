import type { CropName } from '../../protocol/prediction.ts';

/** What the page calls a crop. */
export function cropTitle(crop: CropName): string {
  return crop === 'center' ? 'centre' : crop;
}
