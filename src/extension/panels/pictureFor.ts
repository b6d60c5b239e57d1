import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import { CancelledError, messageOf, userError } from '../../protocol/errors.ts';
import { isImageFile } from '../../protocol/imageFiles.ts';
import type { Parts } from '../parts.ts';
import { requireRegular } from '../../runs/boundedFile.ts';
import { answerOf } from '../service/answerOf.ts';

/** Bytes of a file that is shown as a picture. */
const mostBytes = 512 * 1024 * 1024;

/**
 * A run's record and events may name any file as an image. Throws a user error for what is no ordinary file on this machine
 * with the name of an image.
 */
async function requirePicture(image: string): Promise<void> {
  const isHere = isAbsolute(image) && !/^[\\/]{2}/.test(image);
  if (!isHere || !isImageFile(image))
    throw userError(l10n.t('{0} is not an image on this machine and is not shown.', image));
  const status = await stat(image);
  requireRegular(image, status);
  if (status.size > mostBytes) throw userError(l10n.t('{0} is too large to be shown.', image));
}

/** A picture of an image file for a page, as a data URL; undefined, with a word in the log, where there can be none, as in an untrusted workspace. */
export async function pictureFor(
  { service, log }: Pick<Parts, 'service' | 'log'>,
  image: string,
  size: number,
  signal?: AbortSignal,
): Promise<string | undefined> {
  // Pictures are decoded by native code, which untrusted files do not reach.
  if (!vscode.workspace.isTrusted) return undefined;
  try {
    await requirePicture(image);
    return (await answerOf(service, { type: 'preview', image, size }, 'preview', { ...(signal && { signal }) }))
      .picture;
  } catch (error) {
    if (error instanceof CancelledError) return undefined;
    log.warn(messageOf(error));
    return undefined;
  }
}
