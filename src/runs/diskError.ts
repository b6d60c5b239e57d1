import { codeOf, messageOf, UserError, userError } from '../protocol/errors.ts';

/** A failure to write, told as a sentence that says what to do. Failures that are none of the disk's come back as they are. */
export function diskError(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return userError(
        `The disk is full: ${path} could not be written. Free some space and resume the run from its last checkpoint.`,
        error,
      );
    case 'ENOENT':
      return userError(
        `${path} could not be written because its folder is gone. Put the folder back, or start the run anew.`,
        error,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return userError(
        `${path} could not be written: no permission. Choose another folder for the runs, or change its permissions.`,
        error,
      );
    case 'EIO':
    case 'EMFILE':
    case 'ENFILE':
      return userError(
        `${path} could not be written (${messageOf(error)}). Resume the run from its last checkpoint.`,
        error,
      );
    default:
      return error;
  }
}
