import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { showFailure } from '../commands/registerCommand.ts';
import { missingPartSchema, mostParts, studyFiles, type MissingPart } from '../../protocol/study.ts';
import { isOver } from '../../runs/state.ts';
import { readStudy } from '../../runs/study.ts';
import type { Parts } from '../parts.ts';
import { withProgress } from '../service/showProgress.ts';
import { readSettings } from '../settings.ts';

/** A study whose runs this workspace has queued: its folder, and the runs that were left out. */
interface BegunStudy {
  readonly folder: string;
  readonly missing: MissingPart[];
}

const begunStudiesSchema: z.ZodType<BegunStudy[]> = z.array(
  z.object({ folder: z.string(), missing: z.array(missingPartSchema).max(mostParts) }),
);

/** Studies whose runs have been queued. */
export interface Studies {
  /** Shows the results of a study when none of its runs trains or waits any more, also in a later window. */
  readonly follow: (folder: string, missing: readonly MissingPart[]) => Promise<void>;
  readonly dispose: () => void;
}

const studiesKey = 'studies';

/**
 * Follows the studies of the workspace: when the runs of one have ended, in whatever way, those that finished are tested,
 * and the results shown.
 */
export function createStudies(
  memory: vscode.Memento,
  { runs, trainers, service, log }: Pick<Parts, 'runs' | 'trainers' | 'service' | 'log'>,
): Studies {
  let begun = parsed(memory.get(studiesKey));
  const finishing = new Set<string>();
  const keep = async (next: readonly BegunStudy[]): Promise<void> => {
    begun = next;
    await memory.update(studiesKey, begun.length === 0 ? undefined : begun);
  };
  const hasEnded = async ({ folder }: BegunStudy): Promise<boolean> => {
    const study = await readStudy(folder).catch(() => undefined);
    return (
      study?.parts.every(({ run }) => {
        const own = join(dirname(folder), run);
        const stored = runs.get(own);
        return !trainers.isQueued(own) && !(stored && !isOver(stored.state));
      }) === true
    );
  };
  const look = async (): Promise<void> => {
    // Tests load checkpoints.
    if (!vscode.workspace.isTrusted) return;
    await runs.load();
    for (const study of begun) {
      if (finishing.has(study.folder) || !(await hasEnded(study)) || finishing.has(study.folder)) continue;
      finishing.add(study.folder);
      await keep(begun.filter(({ folder }) => folder !== study.folder));
      void finish(study)
        .catch((error: unknown) => showFailure(error, log))
        .finally(() => finishing.delete(study.folder));
    }
  };
  const finish = async ({ folder, missing }: BegunStudy): Promise<void> => {
    const { engine, device } = readSettings();
    await withProgress(l10n.t('Testing the runs of {0}', basename(folder)), (call) =>
      service.request({ type: 'study', folder, missing, engine, device }, call),
    );
    const results = vscode.Uri.file(join(folder, studyFiles.results));
    await vscode.commands.executeCommand('markdown.showPreview', results);
  };
  const lookAgain = () => void look().catch((error: unknown) => showFailure(error, log));
  const listener = vscode.Disposable.from(runs.onDidChange(lookAgain), trainers.onDidChangeQueue(lookAgain));
  return {
    follow: async (folder, missing) => {
      await keep([...begun.filter((study) => study.folder !== folder), { folder, missing: [...missing] }]);
      await look();
    },
    dispose: () => {
      listener.dispose();
    },
  };
}

function parsed(kept: unknown): readonly BegunStudy[] {
  const found = begunStudiesSchema.safeParse(kept);
  return found.success ? found.data : [];
}
