import type { RunRecord } from './runRecord.ts';

/** A setting whose value is not the same in all runs. `values` in the runs' order. */
export type DifferingSetting = { setting: string; values: string[] };

/** What differs between the runs' configurations, by setting; a value that a run lacks is `–`. */
export function differingSettings(records: readonly RunRecord[]): DifferingSetting[] {
  const flat = records.map((record) => flattened({ ...record.config, ...placed(record) }));
  const settings = [...new Set(flat.flatMap((settings) => [...settings.keys()]))];
  // What a name stands for on the hub tells networks of the same name apart; of other names it says nothing more.
  const areNamesakes = new Set(flat.map((settings) => settings.get('network.name'))).size === 1;
  return settings
    .filter((setting) => areNamesakes || !setting.startsWith('network.hub.'))
    .map((setting) => ({ setting, values: flat.map((settings) => settings.get(setting) ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** Where a run really computed says more than `auto`. */
function placed({ environment }: RunRecord): Record<string, unknown> {
  const { engine, device } = environment;
  return { ...(engine === undefined ? {} : { engine }), ...(device === undefined ? {} : { device }) };
}

/** Settings as texts, by their names: `network.name`, `learningRate`. */
export function flattened(value: object): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (part: unknown, path: string): void => {
    if (isPlainObject(part)) {
      for (const [key, inner] of Object.entries(part)) walk(inner, path === '' ? key : `${path}.${key}`);
    } else if (part !== undefined && path !== '$schema' && path !== 'version') found.set(path, shown(part));
  };
  walk(value, '');
  return found;
}

function isPlainObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(shown).join(', ');
  if (typeof value === 'number') return String(Number(value.toPrecision(6)));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

/** A setting's name as words: `network.name` -> `network name`, `learningRate` -> `learning rate`. */
export function settingWords(setting: string): string {
  return setting
    .replaceAll('.', ' ')
    .replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}
