import type { JournalEntry } from './journal.ts';

/** The images that edits have noted as kept, by the relative paths that later edits have brought them to. */
export function keptImages(done: readonly JournalEntry[]): Set<string> {
  let kept = new Set<string>();
  for (const { edit, steps } of done) {
    const targets = new Map(steps.flatMap((step) => (step.step === 'move' ? [[step.from, step.to] as const] : [])));
    if (targets.size > 0 && kept.size > 0) kept = new Set([...kept].map((path) => movedPath(path, targets)));
    if (edit.kind === 'keep') for (const image of edit.images) kept.add(image);
  }
  return kept;
}

/** Where a path lies after it, or a folder that it is in, was moved. */
function movedPath(path: string, targets: ReadonlyMap<string, string>): string {
  const parts = path.split('/');
  for (let depth = parts.length; depth > 0; depth--) {
    const to = targets.get(parts.slice(0, depth).join('/'));
    if (to !== undefined) return [to, ...parts.slice(depth)].join('/');
  }
  return path;
}
