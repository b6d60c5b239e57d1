import { exportCheckpoint, type ExportOptions } from '../../../src/ml/export/exportCheckpoint.ts';

/** A foreign model is tried in a process of its own, which unit tests do without. */
export const untried = () => Promise.resolve();

/** The network alone, as `--input normalized` writes it. */
export async function exportNetwork(file: string): Promise<Uint8Array> {
  return (await exportWith(file, { input: 'normalized' })).bytes;
}

/** An export with four test images, none of the data. */
export function exportWith(file: string, wishes: Partial<ExportOptions> = {}) {
  const tests = { count: 4, ofData: false };
  return exportCheckpoint(file, { input: 'hwc', crops: 5, precision: 'float32', tests, trial: untried, ...wishes });
}
