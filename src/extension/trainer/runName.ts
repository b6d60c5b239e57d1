import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Why a name cannot be that of a run's folder on every system; undefined where it can. */
export function nameProblem(name: string, parent: string, present: string): string | undefined {
  const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;
  // eslint-disable-next-line no-control-regex -- control characters are among what Windows refuses
  const forbidden = /[<>:"/\\|?*\u0000-\u001f]|^\.|[. ]$/u;
  if (name === '' || name.length > 100 || reserved.test(name) || forbidden.test(name)) {
    return 'Use up to 100 letters, digits, spaces, "-", "_" and ".", without a leading dot.';
  }
  return name !== present && existsSync(join(parent, name)) ? `There is a run named ${name} already.` : undefined;
}
