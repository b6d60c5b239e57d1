import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { cancelled, CancelledError, messageOf, usageError, UserError, userError } from '../../protocol/errors.ts';
import { type MissingPart, type StudyKind, type StudyPart, studyFiles } from '../../protocol/study.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { hasRecord, readStoredRun } from '../../runs/list.ts';
import { tryLock } from '../../runs/lock.ts';
import { checkRunName } from '../../runs/name.ts';
import { openStudy, type PlannedPart, type StudyPlace, studyRun, whyWithoutResults } from '../../runs/study.ts';
import { readResults } from '../results/readResults.ts';
import type { StudyResult, StudyResults } from '../results/studyResults.ts';
import { writeStudyResults } from '../results/writeStudyResults.ts';
import { whenNotTrained } from './whenNotTrained.ts';

/** What a study has done for it, and who hears of that. */
export interface StudyWorkers {
  /**
   * Trains a run with arguments of `fivecrop train`, and resolves when it has ended, with why where it failed. Rejects with a
   * `CancelledError` where it was stopped.
   */
  readonly train: (part: StudyPart, args: readonly string[]) => Promise<string | undefined>;
  /** Tests the run in a folder. Throws a user error where there is nothing to test on. */
  readonly test: (folder: string) => Promise<Pick<StudyResult, 'test' | 'fiveCrops'>>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A study that ran to its end, and the file that its results were written to. */
export interface FinishedStudy extends StudyResults {
  readonly file: string;
}

/**
 * Trains and tests the runs of a study one after the other, and writes the results. What an earlier start of the same study
 * did is not done again: a finished run is kept, one that was broken off goes on from its last checkpoint, and one that
 * another process trains is waited for. A run that fails does not end the study. Runs of `without` are not begun. Throws a
 * user error where the folder holds another study, or another process runs this one; a `CancelledError` where it is stopped.
 */
export async function runStudy(
  kind: StudyKind,
  parts: readonly PlannedPart[],
  without: readonly MissingPart[],
  { out, name }: StudyPlace,
  workers: StudyWorkers,
): Promise<FinishedStudy> {
  checkRunName(name);
  const folder = join(out, name);
  if (await hasRecord(folder))
    throw usageError(`${folder} is the folder of a run: give the study another name (--name).`);
  await mkdir(folder, { recursive: true });
  const lock = await tryLock(join(folder, studyFiles.lock));
  if (!lock)
    throw userError(`Another process runs the study ${name}: wait for it, or give this one a name of its own.`);
  try {
    const study = await openStudy(kind, parts, { out, name });
    const results: StudyResult[] = [];
    const missing: MissingPart[] = [];
    for (const [place, part] of study.parts.entries()) {
      const barred = without.find(({ label }) => label === part.label)?.reason;
      if (barred === undefined) workers.say(`Run ${place + 1} of ${study.parts.length}: ${part.label}`);
      const reason = await (barred === undefined ? trained(part, { out, name }, workers) : unlessFinished(part, out, barred)); // prettier-ignore
      if (reason !== undefined) missing.push({ label: part.label, reason });
      else results.push(await tested(part, out, workers));
    }
    if (results.length === 0) throw userError(`No run of the study ${name} finished: ${missing[0]?.reason ?? ''}`);
    const found = { kind, results, missing };
    return { ...found, file: await writeStudyResults(folder, found) };
  } finally {
    await lock.release();
  }
}

/** Why a run is left out that cannot begin; undefined where it has finished before. */
async function unlessFinished(part: StudyPart, out: string, reason: string): Promise<string | undefined> {
  return whyWithoutResults(await studyRun(out, part)) === undefined ? undefined : reason;
}

/** Trains a run to its end; resolves with why not where it failed. */
async function trained(part: StudyPart, { out, name }: StudyPlace, workers: StudyWorkers): Promise<string | undefined> {
  const folder = join(out, part.run);
  const found = await studyRun(out, part);
  if ('inTheWay' in found) {
    workers.say(`${part.label} is left out: ${found.inTheWay}`);
    return found.inTheWay;
  }
  const begun = found.stored !== undefined;
  if (begun && (await whenNotTrained(folder, workers)) === 'finished') return undefined;
  const settings = join(out, name, `${part.run}.fivecrop.json`);
  if (!begun) await writeTextAtomically(settings, `${JSON.stringify(part.config, undefined, 2)}\n`);
  if (workers.signal.aborted) throw cancelled();
  const args = begun ? ['--resume', folder] : ['--config', settings, '--out', out, '--name', part.run];
  const failure = await workers.train(part, args);
  if (failure !== undefined) return failure;
  const state = (await hasRecord(folder)) ? (await readStoredRun(folder)).state : 'missing';
  return state === 'finished' ? undefined : `its run ${part.run} ended as ${state}.`;
}

async function tested({ label, run }: StudyPart, out: string, { test, say }: StudyWorkers): Promise<StudyResult> {
  const folder = join(out, run);
  const tests = await test(folder).catch((error: unknown) => {
    if (error instanceof CancelledError || !(error instanceof UserError)) throw error;
    say(`${label} is not tested: ${messageOf(error)}`);
    return {};
  });
  return { label, run: await readResults(folder, say), ...tests };
}
