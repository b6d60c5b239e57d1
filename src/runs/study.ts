import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { flattened, settingWords } from '../protocol/differingSettings.ts';
import { codeOf, messageOf, usageError, UserError } from '../protocol/errors.ts';
import type { RunRecord } from '../protocol/runRecord.ts';
import { type Study, studyFiles, type StudyKind, type StudyPart, studySchema, studyVersion } from '../protocol/study.ts';
import { writeTextAtomically } from './atomicFile.ts';
import { readBoundedJson, recordLimit } from './boundedFile.ts';
import { hasRecord, readStoredRun, type StoredRun } from './list.ts';
import { stateName } from './state.ts';
import { parseVersioned } from './versionedJson.ts';

/** A run that a study needs, before it has a name. */
export type PlannedPart = Omit<StudyPart, 'run'>;

export interface StudyPlace {
  /** Folder of the runs, absolute. */
  readonly out: string;
  /** Name of the study’s own folder in it. */
  readonly name: string;
}

/** The study in a folder; undefined where there is none. Throws a user error for a file that this version does not understand. */
export async function readStudy(folder: string): Promise<Study | undefined> {
  const file = join(folder, studyFiles.record);
  const content = await readBoundedJson(file, recordLimit).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    return undefined;
  });
  if (content === undefined) return undefined;
  return parseVersioned(file, content, {
    version: studyVersion,
    schema: studySchema,
    use: 'continue this study',
    misfit: 'is not the record of a study',
    remedy: 'restore or delete it',
  });
}

/** Writes `study.json` whole. Throws a user error where the disk refuses. */
function writeStudy(folder: string, study: Study): Promise<void> {
  return writeTextAtomically(join(folder, studyFiles.record), `${JSON.stringify(study, undefined, 2)}\n`);
}

/**
 * The study that lies in a folder, if it is the one that is asked for; else a new one with names for its runs. Throws a usage
 * error where the folder holds another one.
 */
export async function openStudy(kind: StudyKind, parts: readonly PlannedPart[], { out, name }: StudyPlace): Promise<Study> {
  const folder = join(out, name);
  const known = await readStudy(folder);
  if (known) {
    const difference = differenceOf(known, kind, parts);
    if (difference === undefined) return known;
    throw usageError(`${folder} holds a study that ${difference}: ask for the same, or give this one a name (--name).`);
  }
  const study: Study = {
    version: studyVersion,
    kind,
    created: new Date().toISOString(),
    parts: parts.map(({ label, config }) => ({ label, config, run: freeName(out, `${name}-${nameOf(label)}`) })),
  };
  await writeStudy(folder, study);
  return study;
}

/** Whether a study is the one that is asked for: of the same runs with the same settings. */
export function isSameStudy(known: Study, kind: StudyKind, parts: readonly PlannedPart[]): boolean {
  return differenceOf(known, kind, parts) === undefined;
}

function differenceOf(known: Study, kind: StudyKind, parts: readonly PlannedPart[]): string | undefined {
  if (known.kind !== kind) return `compares ${known.kind}`;
  const labels = known.parts.map(({ label }) => label).join(', ');
  if (labels !== parts.map(({ label }) => label).join(', ')) return `compares ${labels}`;
  for (const [place, { label, config }] of parts.entries()) {
    const before: Readonly<Record<string, unknown>> = known.parts[place]?.config ?? {};
    const now: Readonly<Record<string, unknown>> = config;
    for (const setting of new Set([...Object.keys(before), ...Object.keys(now)])) {
      const [was, is] = [before[setting], now[setting]].map((value) => JSON.stringify(value));
      if (was !== is) return `trains ${label} with ${setting} ${was ?? 'unset'} and not ${is ?? 'unset'}`;
    }
  }
  return undefined;
}

/** What there is of a run of a study: the run itself, or why something else is in its place; neither before it begins. */
export type StudyRun = { readonly stored: StoredRun | undefined } | { readonly inTheWay: string };

/** Looks at the run of a study among those in `out`. */
export async function studyRun(out: string, { run, config }: StudyPart): Promise<StudyRun> {
  const folder = join(out, run);
  if (!existsSync(folder)) return { stored: undefined };
  if (!(await hasRecord(folder)))
    return { inTheWay: `the folder of its run, ${run}, is there without a run: delete or rename it.` };
  try {
    const stored = await readStoredRun(folder);
    const difference = notAsPlanned(config, stored.record);
    return difference === undefined ? { stored } : { inTheWay: `the folder of its run, ${run}, holds another one: ${difference}. Delete or rename it.` }; // prettier-ignore
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { inTheWay: messageOf(error) };
  }
}

/** Why a study has no results of a run; undefined where it has finished. */
export function whyWithoutResults(found: StudyRun): string | undefined {
  if ('inTheWay' in found) return found.inTheWay;
  const { stored } = found;
  if (!stored) return 'its run was not started.';
  if (stored.state === 'finished') return undefined;
  return stored.record.reason ?? `its run is ${stateName(stored.state)}.`;
}

/** Where a run computes, which is another device on another machine. */
const ofTheMachine: ReadonlySet<string> = new Set(['engine', 'device', 'cacheMegabytes']);

/** In what a run is not the one that was planned. What the plan left open may be anything. */
function notAsPlanned(plan: StudyPart['config'], { config }: RunRecord): string | undefined {
  const trained = flattened(config);
  for (const [setting, planned] of flattened(plan)) {
    const own = trained.get(setting) ?? 'unset';
    if (planned !== 'auto' && planned !== own && !ofTheMachine.has(setting))
      return `${settingWords(setting)} is ${own} and not ${planned}`;
  }
  return undefined;
}

/** A label as part of a folder’s name. */
function nameOf(label: string): string {
  return label.replace(/^timm\//u, '').replace(/[^\w.-]+/gu, '_');
}

function freeName(out: string, wanted: string): string {
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? wanted : `${wanted}-${counter}`;
    if (!existsSync(join(out, name))) return name;
  }
}
