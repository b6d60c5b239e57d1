import { networkName } from '../../protocol/networkName.ts';
import type { RunRecord } from '../../protocol/runRecord.ts';
import { defaultRunName } from '../../runs/name.ts';

/**
 * The name of another run with the settings of one: a name that somebody chose, `sgd` also for `sgd-2`, to which a counter
 * is added. Undefined if the run was called by network and method, as the new one will be.
 */
export function nameAgain({ name, config }: Pick<RunRecord, 'name' | 'config'>): string | undefined {
  const unnamed = defaultRunName(networkName(config.network), config.method);
  // Older ones bear their day.
  if (name.startsWith(unnamed) && /^(-\d{4}-\d\d-\d\d)?(-\d+)?$/.test(name.slice(unnamed.length))) return undefined;
  return name.replace(/(?<=.)-[1-9]\d?$/, '');
}
