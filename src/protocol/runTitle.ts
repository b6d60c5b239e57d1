import { methods } from './trainingConfig.ts';

/**
 * The name of a run that was given none, see `defaultRunName`; older ones bear their day. Sweeps, and the runs of their
 * trials, are called as their folders are.
 */
const defaultName = new RegExp(`^(?!sweep-)(\\S+)-(${methods.join('|')})(?:-(\\d{4}-\\d\\d-\\d\\d))?(?:-(\\d+))?$`);

/**
 * A run's name as people read it: `densenet169 head 3` for the folder `densenet169-head-3`. A name that somebody has
 * chosen is its own title.
 */
export function runTitle(name: string): string {
  const [, network, method, day, counter] = defaultName.exec(name) ?? [];
  if (network === undefined) return name;
  return [network, method, day, counter].filter((part) => part !== undefined).join(' ');
}
