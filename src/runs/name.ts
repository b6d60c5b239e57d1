import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { usageError } from '../protocol/errors.ts';

/** What a name has to be so that a folder can have it on every system. */
const rule = 'use up to 100 letters, digits, spaces, "-", "_" and ".", without a leading dot.';

/** `<network>-<method>`: the name of a run that was given none. Its folder gets a counter where that is taken; see `runTitle`. */
export function defaultRunName(network: string, method: string): string {
  return `${network.replace(/^timm\//u, '')}-${method}`.replace(/[^\w.-]+/gu, '_');
}

/** The name of a run with the settings of a file: `sgd` for `sgd.fivecrop.json`. Undefined where no folder can have it. */
export function runNameOf(settingsFile: string): string | undefined {
  const name = basename(settingsFile).replace(/(?:\.fivecrop)?\.json$/iu, '');
  return isRunName(name) ? name : undefined;
}

/** Throws a usage error where a name could not be the name of a folder on every system. */
export function checkRunName(name: string): void {
  if (!isRunName(name)) throw usageError(`"${name}" cannot be the name of a run: ${rule}`);
}

/** Why the run `present` in the folder `parent` cannot be named `name`; undefined where it can. */
export function nameProblem(name: string, parent: string, present: string): string | undefined {
  if (!isRunName(name)) return `${rule[0]?.toUpperCase() ?? ''}${rule.slice(1)}`;
  return name !== present && existsSync(join(parent, name)) ? `There is a run named ${name} already.` : undefined;
}

/** A name for a sweep in `out` that neither another one nor a run of theirs has: `stem`, or with a counter. */
export function freeSweepName(out: string, stem: string): string {
  const taken = existsSync(out) ? readdirSync(out).map((name) => name.toLowerCase()) : [];
  for (let counter = 1; ; counter++) {
    const name = counter === 1 ? stem : `${stem}_${counter}`;
    const own = name.toLowerCase();
    const isOfTrial = (other: string) => other.startsWith(`${own}-`) && /^\d+$/u.test(other.slice(own.length + 1));
    if (!taken.some((other) => other === own || isOfTrial(other))) return name;
  }
}

function isRunName(name: string): boolean {
  const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/iu;
  // eslint-disable-next-line no-control-regex -- control characters are among what Windows refuses
  const forbidden = /[<>:"/\\|?*\u0000-\u001f]|^\.|[. ]$/u;
  return name !== '' && name.length <= 100 && !reserved.test(name) && !forbidden.test(name);
}
