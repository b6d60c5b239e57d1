/**
 * The three kinds of failure. A user error is a sentence that says what to do and is shown without a stack; a
 * cancellation is no failure at all; everything else is a bug of ours.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** `usage` ends the command line with exit code 2, the others with 1. */
  readonly kind: 'usage' | 'failure' | 'weights';
  constructor(message: string, kind: UserError['kind'] = 'failure', options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Something is wrong with a file, a folder, the network or the machine. `message` says what to do. */
export function userError(message: string, cause?: unknown): UserError {
  return new UserError(message, 'failure', cause === undefined ? undefined : { cause });
}

/** A flag, a setting or an argument is wrong. `message` says which and what it may be. */
export function usageError(message: string): UserError {
  return new UserError(message, 'usage');
}

/**
 * Pretrained weights cannot be had. `message` says which and why; the editor and the shell each add what to do, see
 * `weightsAdvice.ts`. `tried` is everything that was tried, for the log.
 */
export function weightsError(message: string, tried: string): UserError {
  return new UserError(message, 'weights', { cause: new Error(tried) });
}

/** The user asked to stop. */
export function cancelled(): CancelledError {
  return new CancelledError('stopped on request');
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's code of a failure, such as `ENOENT`; of a user error, that of what caused it. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof UserError) return codeOf(error.cause);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
