import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EditStep } from '../../protocol/dataEdits.ts';
import { codeOf, userError } from '../../protocol/errors.ts';
import { ignoreFile, ignoreKey, ignoreLine, parseIgnoreList, pathOnLine } from '../../protocol/ignoreList.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { diskError } from '../../runs/diskError.ts';
import { readIgnoreFile } from '../../runs/putAside.ts';
import { copyInto, isCopied, removeCopy } from './copySteps.ts';
import { requireInside } from './requireInside.ts';

type IgnoreStep = Extract<EditStep, { step: 'ignoreList' }>;

/** What takes a step back. */
export function inverseStep(step: EditStep): EditStep {
  switch (step.step) {
    case 'move':
      return { step: 'move', from: step.to, to: step.from };
    case 'copy':
      return { ...step, step: 'removeCopy' };
    case 'removeCopy':
      return { ...step, step: 'copy' };
    case 'makeFolder':
      return { step: 'removeFolder', folder: step.folder };
    case 'removeFolder':
      return { step: 'makeFolder', folder: step.folder };
    case 'ignoreList': {
      const { at, removed, added, before, after } = step;
      return { step: 'ignoreList', at, removed: added, added: removed, before: after, after: before };
    }
  }
}

/**
 * Makes steps one after the other; one that has been made already is passed over. If one cannot be made, all that are made
 * are taken back, those after it too, which a process that was killed may have made. The error is returned, whose sentence
 * says why. Throws if they cannot be taken back either.
 */
export async function makeSteps(root: string, steps: readonly EditStep[]): Promise<Error | undefined> {
  for (const [at, step] of steps.entries()) {
    try {
      await makeStep(root, step);
    } catch (error) {
      await takeBack(root, steps, at);
      return error instanceof Error ? error : new Error(String(error));
    }
  }
  return undefined;
}

/** Takes back those of the steps that are made, of which the one at `failed` could not be. */
async function takeBack(root: string, steps: readonly EditStep[], failed: number): Promise<void> {
  const moved = new Set<EditStep>();
  for (const step of steps) if (step.step === 'move' && (await isMoved(root, step))) moved.add(step);
  const isMade = async (step: EditStep, at: number) => {
    switch (step.step) {
      case 'move':
        return moved.has(step);
      case 'copy':
        return isCopied(root, step);
      case 'removeCopy':
        return at < failed || (await statusOf(join(root, step.to))) === undefined;
      case 'makeFolder':
        return true;
      case 'removeFolder':
        // A later one that lacks may be somebody else's doing; what was moved out of it needs it again.
        return at < failed || steps.some((each) => each.step === 'move' && moved.has(each) && each.from.startsWith(`${step.folder}/`)); // prettier-ignore
      case 'ignoreList':
        return isListed(root, step);
    }
  };
  for (const [at, step] of [...steps.entries()].reverse()) {
    if (await isMade(step, at)) await makeStep(root, inverseStep(step));
  }
}

async function isMoved(root: string, step: Extract<EditStep, { step: 'move' }>): Promise<boolean> {
  const [from, to] = [join(root, step.from), join(root, step.to)];
  const [source, target] = await Promise.all([statusOf(from), statusOf(to)]);
  return target !== undefined && (source === undefined || isSameEntry(from, source, to, target));
}

/** Whether the ignore list has what a step adds to it. */
async function isListed(root: string, { added, before, after }: IgnoreStep): Promise<boolean> {
  const text = await readIgnoreFile(root);
  if (hashOf(text) === after) return true;
  // Somebody has edited the list meanwhile.
  const there = parseIgnoreList(text ?? '');
  return hashOf(text) !== before && added.split('\n').flatMap(pathOnLine).some((path) => there.has(path)); // prettier-ignore
}

/** A disk that does not tell upper from lower case finds the same entry under both names. */
function isSameEntry(from: string, source: Stats, to: string, target: Stats): boolean {
  return source.ino === target.ino && from.toLowerCase() === to.toLowerCase();
}

async function makeStep(root: string, step: EditStep): Promise<void> {
  // A step before may have put a folder there that has a link in it.
  await requireInside(root, [step]);
  switch (step.step) {
    case 'move':
      return moveEntry(join(root, step.from), join(root, step.to));
    case 'copy':
      return copyInto(root, step);
    case 'removeCopy':
      return removeCopy(root, step);
    case 'makeFolder':
      return onDisk(join(root, step.folder), async (folder) => {
        await mkdir(folder).catch((error: unknown) => {
          if (codeOf(error) !== 'EEXIST') throw error;
        });
      });
    case 'removeFolder':
      return onDisk(join(root, step.folder), async (folder) => {
        // What somebody else has put into it stays.
        await rmdir(folder).catch((error: unknown) => {
          if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
        });
      });
    case 'ignoreList':
      return changeIgnoreList(root, step);
  }
}

async function moveEntry(from: string, to: string): Promise<void> {
  const [source, target] = await Promise.all([statusOf(from), statusOf(to)]);
  if (!source && target) return;
  if (!source) throw userError(`${from} is gone: somebody else has moved or deleted it.`);
  if (target && !isSameEntry(from, source, to, target))
    throw userError(`${to} is there already: move or rename it first.`);
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) === 'EXDEV') throw userError(`${from} lies on another disk than ${to}: move it by hand.`, error);
    throw diskError(error, to);
  }
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw diskError(error, path);
  }
}

async function onDisk(path: string, work: (path: string) => Promise<void>): Promise<void> {
  try {
    await work(path);
  } catch (error) {
    throw diskError(error, path);
  }
}

async function changeIgnoreList(root: string, step: IgnoreStep): Promise<void> {
  const text = await readIgnoreFile(root);
  const now = hashOf(text);
  if (now === step.after) return;
  const next = now === step.before ? spliced(text ?? '', step) : changedByHand(text ?? '', step);
  const file = join(root, ignoreFile);
  if (step.after === hashOf(undefined) && next === '') await rm(file, { force: true });
  else await writeTextAtomically(file, next);
}

function spliced(text: string, { at, removed, added }: IgnoreStep): string {
  return text.slice(0, at) + added + text.slice(at + removed.length);
}

/** Somebody has edited the list meanwhile: paths are taken out and added wherever they stand. */
function changedByHand(text: string, { removed, added }: IgnoreStep): string {
  const [without, more] = [removed, added].map((part) => part.split('\n'));
  const out = new Set(without?.flatMap(pathOnLine));
  const kept = text.split('\n').filter((line) => !pathOnLine(line).some((path) => out.has(path)));
  const there = new Set(kept.flatMap(pathOnLine));
  const missing = more?.filter((line) => pathOnLine(line).some((path) => !there.has(path))) ?? [];
  const body = kept.join('\n');
  return [body, body === '' || body.endsWith('\n') || missing.length === 0 ? '' : '\n', ...missing.map((line) => `${line}\n`)].join(''); // prettier-ignore
}

/** The step that makes `after` of an ignore list's text; none where nothing changes. Undefined is no file. */
export function ignoreListStep(before: string | undefined, after: string): EditStep[] {
  const old = before ?? '';
  if (old === after) return [];
  let start = 0;
  while (start < old.length && start < after.length && old[start] === after[start]) start++;
  start = old.lastIndexOf('\n', start - 1) + 1;
  let end = 0;
  const most = Math.min(old.length, after.length) - start;
  while (end < most && old[old.length - 1 - end] === after[after.length - 1 - end]) end++;
  // Whole lines, so that they can be found again in a list that somebody has edited.
  const same = old.slice(old.length - end);
  end = same.includes('\n') ? same.length - same.indexOf('\n') - 1 : 0;
  return [
    {
      step: 'ignoreList',
      at: start,
      removed: old.slice(start, old.length - end),
      added: after.slice(start, after.length - end),
      before: hashOf(before),
      after: hashOf(after),
    },
  ];
}

/** Empty for a file that is not there. */
function hashOf(text: string | undefined): string {
  return text === undefined ? '' : createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** The paths of a list with those below moved entries at their new places. */
export function movedOnList(text: string, moves: readonly { readonly from: string; readonly to: string }[]): string {
  const targets = new Map(moves.map(({ from, to }) => [ignoreKey(from), to]));
  const lines = text.split('\n').map((line) => {
    const [path] = pathOnLine(line);
    if (path === undefined) return line;
    const parts = path.split('/');
    for (let depth = parts.length; depth > 0; depth--) {
      const to = targets.get(parts.slice(0, depth).join('/'));
      if (to !== undefined)
        return ignoreLine([to, ...parts.slice(depth)].join('/')) + (line.endsWith('\r') ? '\r' : '');
    }
    return line;
  });
  return lines.join('\n');
}
