import { join } from 'node:path';
import { sampleSettingsFile } from '../../protocol/sampleSettingsFile.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { readBoundedText, settingsLimit } from '../../runs/boundedFile.ts';
import { parseTrainingConfig } from './trainingConfigFile.ts';

/** The settings that lie in a sample data set that Fivecrop drew; undefined for any other folder. */
export async function readSampleSettings(folder: string): Promise<GivenConfig | undefined> {
  const file = join(folder, sampleSettingsFile);
  try {
    return parseTrainingConfig(await readBoundedText(file, settingsLimit), file);
  } catch {
    // Whoever changed the file to something else gets what any folder gets.
    return undefined;
  }
}
