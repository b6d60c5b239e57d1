import { statSync } from 'node:fs';

/**
 * What is different once a file was written to or another one took its name: size, times of change in nanoseconds, and
 * the number under which the disk has it. The second time cannot be set back, as the first can. The device is left out:
 * a network folder has another one each time it is mounted. Throws the system's error for a file that is not there.
 */
export function identityOf(file: string): string {
  const { size, mtimeNs, ctimeNs, ino } = statSync(file, { bigint: true });
  return [size, mtimeNs, ctimeNs, ino].map((value) => value.toString(36)).join('.');
}
