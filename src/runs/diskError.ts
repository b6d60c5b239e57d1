import { codeOf, messageOf, UserError, userError } from '../protocol/errors.ts';

/** A failure to write, told as a sentence that says what to do. Failures that are none of the disk's come back as they are. */
export function diskError(error: unknown, path: string): unknown {
  if (error instanceof UserError || !(error instanceof Error && 'syscall' in error)) return error;
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return userError(`The disk is full: ${path} could not be written. Free some space, then continue: ${kept}.`, error);
    case 'EROFS':
      return userError(
        `${path} could not be written: the disk cannot be written any more. Make it writable, then continue: ${kept}.`,
        error,
      );
    case 'ENOENT':
    case 'ENOTDIR':
      return userError(
        `${path} could not be written because its folder is gone. Put the folder back, or choose another one.`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
      return userError(
        `${path} could not be written: no permission. Choose another folder, or change its permissions.`,
        error,
      );
    default:
      return userError(`${path} could not be written (${messageOf(error)}). Check the disk; ${kept}.`, error);
  }
}

const kept = 'what was saved before is intact';
