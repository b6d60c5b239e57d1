/** A path as one word of a command that is meant to be copied: quoted where a shell would read more into it. */
export function shellWord(path: string, platform: string): string {
  if (platform === 'win32') return /^[\w@+=:,./\\-]+$/u.test(path) ? path : `"${path.replaceAll('"', '')}"`;
  return /^[\w@%+=:,./-]+$/u.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
