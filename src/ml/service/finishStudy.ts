import { dirname, join } from 'node:path';
import { CancelledError, messageOf, UserError, userError } from '../../protocol/errors.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import type { MissingPart, StudyPart } from '../../protocol/study.ts';
import { savedCheckpoint } from '../../runs/checkpointFiles.ts';
import { keptEvaluation } from '../../runs/evaluations.ts';
import { readStudy, studyRun, whyWithoutResults } from '../../runs/study.ts';
import { readResults, type RunResults } from '../results/readResults.ts';
import type { StudyResult } from '../results/studyResults.ts';
import { writeStudyResults } from '../results/writeStudyResults.ts';
import type { ClassifierPool } from './classifierPool.ts';
import { testOnce } from './testOnce.ts';

type StudyRequest = Extract<ServiceRequestBody, { type: 'study' }>;

/**
 * Tests the runs of a study that have finished, unless they are, and writes the study's results. Throws a user error where
 * there is no study, or none of its runs has finished.
 */
export async function finishStudy(
  request: StudyRequest,
  classifiers: ClassifierPool,
  context: RequestContext,
): Promise<void> {
  const { folder } = request;
  const study = await readStudy(folder);
  if (!study) throw userError(`There is no study in ${folder}: choose another folder.`);
  const missing: MissingPart[] = [];
  const results: StudyResult[] = [];
  const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
  for (const part of study.parts) {
    const run = join(dirname(folder), part.run);
    const why = whyWithoutResults(await studyRun(dirname(folder), part));
    if (why !== undefined) {
      const barred = request.missing.find(({ label }) => label === part.label)?.reason;
      missing.push({ label: part.label, reason: barred ?? why });
      continue;
    }
    const read = await readResults(run, say);
    const tests = await testsOf(part, read, { request, classifiers, context, isOfNetworks: study.kind === 'networks' });
    results.push({ label: part.label, run: read, ...tests });
  }
  if (results.length === 0) throw userError(`No run of the study has finished: ${missing[0]?.reason ?? ''}`);
  await writeStudyResults(folder, { kind: study.kind, results, missing });
}

interface Testing {
  readonly request: StudyRequest;
  readonly classifiers: ClassifierPool;
  readonly context: RequestContext;
  readonly isOfNetworks: boolean;
}

/** The tests of a run; none where there are no images to test on, of which the log tells. */
async function testsOf(
  { label }: StudyPart,
  run: RunResults,
  testing: Testing,
): Promise<Pick<StudyResult, 'test' | 'fiveCrops'>> {
  try {
    const test = await testOf(label, run, 1, testing);
    if (test === undefined) return {};
    if (!testing.isOfNetworks || seesWholeImage(test.fit)) return { test };
    const fiveCrops = await testOf(label, run, 5, testing);
    return { test, ...(fiveCrops ? { fiveCrops } : {}) };
  } catch (error) {
    if (error instanceof CancelledError || !(error instanceof UserError)) throw error;
    testing.context.answer({ type: 'log', level: 'warning', message: `${label} is not tested: ${messageOf(error)}` });
    return {};
  }
}

async function testOf(
  label: string,
  { folder, record }: RunResults,
  cropCount: 1 | 5,
  { request: { engine, device }, classifiers, context }: Testing,
): Promise<Evaluation | undefined> {
  const checkpoint = savedCheckpoint(folder);
  if (checkpoint === undefined) return undefined;
  const say = (message: string) => context.answer({ type: 'log', level: 'warning', message });
  const wanted = { data: record.data?.data ?? record.config.data, split: 'test' as const, cropCount };
  const kept = await keptEvaluation(checkpoint, wanted, say);
  if (kept) return kept;
  const test = { checkpoint, ...wanted, engine, device };
  return (await testOnce(test, classifiers, context, `Testing ${label}`)).evaluation;
}
