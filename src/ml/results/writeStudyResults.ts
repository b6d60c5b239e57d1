import { join } from 'node:path';
import { studyFiles } from '../../protocol/study.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { studyText } from './studyMarkdown.ts';
import type { StudyResults } from './studyResults.ts';

/** Writes the results of a study into its folder, as Markdown with its pictures beside it; returns the file. */
export async function writeStudyResults(folder: string, results: StudyResults): Promise<string> {
  const { markdown, figures } = studyText(results);
  for (const { file, svg } of figures) await writeTextAtomically(join(folder, file), svg);
  const file = join(folder, studyFiles.results);
  await writeTextAtomically(file, markdown);
  return file;
}
