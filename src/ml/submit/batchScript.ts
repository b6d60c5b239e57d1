import { usageError } from '../../protocol/errors.ts';

/** A word of a shell, whatever is in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * The batch script of a job: task N of an array, or the only one, works on the Nth run. `command` is how the far side starts
 * Fivecrop. The scheduler's signals reach the shell, which hands them on.
 */
export function batchScript(command: readonly string[], runs: readonly string[], work: readonly string[]): string {
  return [
    '#!/bin/bash',
    '# Written by fivecrop submit. Trains the run of this task until it is done or the time of the job is nearly over.',
    'runs=(',
    ...runs.map((run) => `  ${quoted(run)}`),
    ')',
    'told= job=',
    '# Node.js begins with signals at their defaults, which would end it: they wait until Fivecrop listens for SIGUSR2.',
    'tell() {',
    '  told=$1',
    '  [ "$job" ] || return',
    '  while [ -e "/proc/$job" ] && ! [[ $(grep SigCgt "/proc/$job/status") =~ [89a-f]..$ ]]; do sleep 0.1; done',
    '  kill -s "$1" "$job" 2> /dev/null',
    '}',
    'for name in USR2 TERM INT; do trap "tell $name" "$name"; done',
    `${[...command, ...work].map(quoted).join(' ')} "\${runs[\${SLURM_ARRAY_TASK_ID:-1} - 1]}" &`,
    'job=$!',
    '[ "$told" ] && tell "$told"',
    '# A signal ends the waiting, not the job.',
    'while told=; wait "$job"; code=$?; [ "$told" ]; do :; done',
    'exit "$code"',
    '',
  ].join('\n');
}

/** A path in which sbatch replaces nothing, for `--output`. */
export function outputPattern(path: string): string {
  if (/[\\\n]/u.test(path))
    throw usageError(`${path}: Slurm cannot write to a path with a backslash or a line break in it.`);
  return path.replaceAll('%', '%%');
}

/** Seconds of a time limit as sbatch takes it, such as `30`, `4:00:00` or `1-12`; undefined where it is none, or no limit. */
export function secondsOfLimit(limit: string): number | undefined {
  const parts = /^(?:(?<days>\d+)-)?(?<first>\d+)(?::(?<second>\d+))?(?::(?<third>\d+))?$/u.exec(limit)?.groups;
  if (!parts) return undefined;
  const [first, second, third] = [parts['first'], parts['second'], parts['third']].map((part) => Number(part ?? 0));
  const [a, b, c] = [first ?? 0, second ?? 0, third ?? 0];
  if (parts['days'] !== undefined) return Number(parts['days']) * 86_400 + a * 3600 + b * 60 + c;
  // minutes, minutes:seconds, hours:minutes:seconds
  return parts['third'] === undefined ? a * 60 + b : a * 3600 + b * 60 + c;
}
