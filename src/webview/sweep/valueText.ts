import * as l10n from '@vscode/l10n';
import { short } from '../../charts/format.ts';

/** A setting's value as people read it: `0.0012`, `512, 64`, `none` for an empty list, the name of a network. */
export function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? l10n.t('none') : value.map(valueText).join(', ');
  if (typeof value === 'number') return short(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? l10n.t('yes') : l10n.t('no');
  if (typeof value === 'object' && value !== null && 'name' in value) return valueText(value.name);
  if (typeof value === 'object' && value !== null && 'file' in value) return valueText(value.file);
  return value === undefined ? '' : JSON.stringify(value);
}
