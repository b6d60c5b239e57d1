import { basename, dirname, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { showFailure } from '../commands/registerCommand.ts';
import { missingPartSchema, mostParts, studyFiles, type MissingPart } from '../../protocol/study.ts';
import { readStudy } from '../../runs/study.ts';
import type { Parts } from '../parts.ts';
import { withProgress } from '../service/showProgress.ts';
import { readSettings } from '../settings.ts';

/** A study whose runs this workspace has queued: its folder, the runs that were left out, and when that was, as ISO 8601. */
interface BegunStudy {
  readonly folder: string;
  readonly missing: MissingPart[];
  readonly since: string;
}

const begunStudiesSchema: z.ZodType<BegunStudy[]> = z.array(
  z.object({ folder: z.string(), missing: z.array(missingPartSchema).max(mostParts), since: z.iso.datetime() }),
);

/** Studies whose runs have been queued. */
export interface Studies {
  /** Shows the results of a study when its runs have ended, those that failed after `since` (ISO 8601), also in a later window. */
  readonly follow: (folder: string, missing: readonly MissingPart[], since: string) => Promise<void>;
  readonly dispose: () => void;
}

const studiesKey = 'studies';

/** Follows the studies of the workspace: when every run of one has finished or failed, they are tested, and the results shown. */
export function createStudies(
  memory: vscode.Memento,
  { runs, service, log }: Pick<Parts, 'runs' | 'service' | 'log'>,
): Studies {
  let begun = parsed(memory.get(studiesKey));
  const finishing = new Set<string>();
  const keep = async (next: readonly BegunStudy[]): Promise<void> => {
    begun = next;
    await memory.update(studiesKey, begun.length === 0 ? undefined : begun);
  };
  const hasEnded = async ({ folder, missing, since }: BegunStudy): Promise<boolean> => {
    const study = await readStudy(folder).catch(() => undefined);
    if (study === undefined) return false;
    const queued = study.parts.filter(({ label }) => missing.every((part) => part.label !== label));
    return queued.every(({ run }) => {
      const stored = runs.get(join(dirname(folder), run));
      // One that failed before takes its turn again.
      return stored?.state === 'finished' || (stored?.state === 'failed' && stored.record.updated > since);
    });
  };
  const look = async (): Promise<void> => {
    // Tests load checkpoints.
    if (!vscode.workspace.isTrusted) return;
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
  const listener = runs.onDidChange(() => void look().catch((error: unknown) => showFailure(error, log)));
  return {
    follow: async (folder, missing, since) => {
      await keep([...begun.filter((study) => study.folder !== folder), { folder, missing: [...missing], since }]);
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
