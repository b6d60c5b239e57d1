import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import * as z from 'zod';
import { userError } from '../../../protocol/errors.ts';
import { runFiles, type RunRecord, runRecordSchema } from '../../../protocol/runRecord.ts';
import { studyFiles } from '../../../protocol/study.ts';
import { sweepFiles } from '../../../protocol/sweep.ts';
import { repeatAtomically, writeTextAtomically } from '../../../runs/atomicFile.ts';
import { readBoundedText, recordLimit } from '../../../runs/boundedFile.ts';
import { sweepResumeFiles, unnamedResumeFiles } from '../../../runs/checkpointFiles.ts';
import { readRunRecord } from '../../../runs/record.ts';
import { filesIn } from '../filesIn.ts';
import { isKept } from '../remote/snapshot.ts';
import { type CopiedLines, copyLines } from './copyLines.ts';

/** What a copied text says here: paths of the remote host become those of this machine. */
export type Translate = (text: string) => string;

export interface PublisherOptions {
  /** Folder with a copy of the remote run in which files belong together. */
  readonly copy: string;
  readonly run: string;
  readonly translate: Translate;
  /** File that keeps which files were published, so that a later process does not bring back what was changed here. */
  readonly marks: string;
}

/** Larger texts are taken as they are: none of ours that names paths is so large. */
const longestText = 1 << 26;

const marksSchema = z.record(z.string(), z.string());

/**
 * What brings the folder of a run up to date with its copy. Whoever looks at the folder meanwhile sees it as if the run
 * were trained here: lines of events are appended whole, files appear whole, a checkpoint after what its resume needs and
 * after the events before it, the record last. What this machine wrote into the folder stays. The returned function throws
 * a user error where the disk refuses.
 */
export async function createPublisher(options: PublisherOptions): Promise<() => Promise<void>> {
  const { copy, run, translate, marks } = options;
  const text = await readFile(marks, 'utf8').catch(() => '{}');
  const published = new Map(Object.entries(marksSchema.parse(JSON.parse(text))));
  let lines: CopiedLines | undefined;
  return async () => {
    await mkdir(join(run, runFiles.checkpoints), { recursive: true });
    lines = await copyLines(join(copy, runFiles.metrics), join(run, runFiles.metrics), translate, lines);
    // The host's word is not taken for it that it sends no others: job.json names the job that a stop ends.
    const files = (await filesIn(copy)).filter(isOfRun);
    // A file whose checkpoint was not written yet is published with it: alone it would be swept here, and not come again.
    const early = new Set(await unnamedResumeFiles(join(copy, runFiles.checkpoints)));
    for (const file of files.filter((name) => !early.has(basename(name))).sort(resumeFilesFirst)) {
      const { size, mtimeMs } = await stat(join(copy, file));
      const mark = `${size} ${mtimeMs}`;
      if (published.get(file) === mark) continue;
      await publishFile(join(copy, file), join(run, file), size <= longestText ? translate : undefined);
      published.set(file, mark);
    }
    await writeTextAtomically(marks, JSON.stringify(Object.fromEntries(published)));
    await publishRecord(options);
    await sweepResumeFiles(join(run, runFiles.checkpoints));
  };
}

/** What has a way of its own, and what would make a sweep or a study of the run's folder. */
const withheld: ReadonlySet<string> = new Set([
  ...[runFiles.metrics, runFiles.record],
  ...[sweepFiles.record, sweepFiles.trials, studyFiles.record],
]);

/** Names as runs give them: a disk that takes `JOB.JSON` for `job.json`, or passes over characters that nobody sees, is not fooled. */
const plainName = /^[a-z0-9][a-z0-9._-]*$/u;

/** Whether a run has files of that name and place. */
function isOfRun(file: string): boolean {
  const [name = '', ...folders] = file.split(sep).reverse();
  const isPlaced = folders.length === 0 || (folders.length === 1 && folders[0] === runFiles.checkpoints);
  return isPlaced && plainName.test(name) && isKept(name) && !withheld.has(name);
}

function resumeFilesFirst(a: string, b: string): number {
  const rank = (file: string) => (basename(file).startsWith('resume-') ? 0 : 1);
  return rank(a) - rank(b) || a.localeCompare(b);
}

async function publishFile(from: string, to: string, translate: Translate | undefined): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if (translate && to.endsWith('.json')) await writeTextAtomically(to, translate(await readFile(from, 'utf8')));
  else await repeatAtomically(to, from);
}

/**
 * The run is named for its folder here. The number of its process means nothing here: signs of life in the folder tell of it.
 * What it reads from this machine is what it was submitted with: a host cannot choose what a resume brings there.
 */
async function publishRecord({ copy, run, translate }: PublisherOptions): Promise<void> {
  const source = join(copy, runFiles.record);
  if (!existsSync(source)) return;
  const record = recordIn(translate(await readBoundedText(source, recordLimit)));
  if (record === undefined)
    throw userError(`The record that came of ${basename(run)} is none: what came is left as it was.`);
  const { data, classNames, network } = (await readRunRecord(run)).config;
  const config = { ...record.config, data, classNames, network };
  const local: RunRecord = { ...record, config, name: basename(run), process: undefined };
  const file = join(run, runFiles.record);
  const content = `${JSON.stringify(local, undefined, 2)}\n`;
  if ((await readFile(file, 'utf8').catch(() => '')) === content) return;
  await writeTextAtomically(file, content);
}

function recordIn(text: string): RunRecord | undefined {
  try {
    return runRecordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
