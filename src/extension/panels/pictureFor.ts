import * as vscode from 'vscode';
import { messageOf } from '../../protocol/errors.ts';
import type { Parts } from '../parts.ts';
import { answerOf } from '../service/answerOf.ts';

/** A picture of an image file for a page, as a data URL; undefined, with a word in the log, where there can be none, as in an untrusted workspace. */
export async function pictureFor(
  { service, log }: Pick<Parts, 'service' | 'log'>,
  image: string,
  size: number,
): Promise<string | undefined> {
  // Pictures are decoded by native code, which untrusted files do not reach.
  if (!vscode.workspace.isTrusted) return undefined;
  try {
    return (await answerOf(service, { type: 'preview', image, size }, 'preview')).picture;
  } catch (error) {
    log.warn(messageOf(error));
    return undefined;
  }
}
