import { fileName } from '../../charts/format.ts';
import { flattened, settingWords } from '../../protocol/differingSettings.ts';
import { type TrainingConfig, trainingConfigSchema } from '../../protocol/trainingConfig.ts';
import { html, type Markup } from './markup.ts';
import { section } from './pageDocument.ts';
import { facts } from './tables.ts';

/** What the environment says, or every run has alike. */
const hidden = /^network\.(?:hub|kind)(?:\.|$)/u;

/** The settings of a run: first those that are not the defaults. */
export function settingsSection(config: TrainingConfig): Markup {
  const { data, network } = config;
  const defaults = flattened(trainingConfigSchema.parse({ data, network }));
  const all = [...flattened(withoutFolders(config))].filter(([setting]) => !hidden.test(setting));
  const isOwn = ([setting, value]: readonly [string, string]) => defaults.get(setting) !== value;
  const always = (setting: string) => setting.startsWith('network.') || setting === 'method' || setting === 'epochs';
  const own = all.filter((entry) => always(entry[0]) || isOwn(entry));
  const rest = all.filter((entry) => !own.includes(entry));
  return section(
    'Settings',
    facts(named(own)),
    html`<details>
      <summary>Settings that are the defaults</summary>
      ${facts(named(rest))}
    </details>`,
  );
}

/** Where files lay on the machine that trained is nobody else’s concern: their names stay. */
function withoutFolders(config: TrainingConfig): object {
  const { data, classNames, network } = config;
  return {
    ...config,
    data: fileName(data),
    ...(classNames === undefined ? {} : { classNames: fileName(classNames) }),
    network:
      network.kind === 'backbone'
        ? { ...network, file: fileName(network.file) }
        : { ...network, ...(network.weights === undefined ? {} : { weights: fileName(network.weights) }) },
  };
}

function named(settings: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return settings.map(([setting, value]) => {
    const words = settingWords(setting);
    return [words.charAt(0).toUpperCase() + words.slice(1), value];
  });
}
