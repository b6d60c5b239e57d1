import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getL10nJson } from '@vscode/l10n-dev';

/** The rooms whose texts are translated; what they share with the shell is English. */
const rooms = ['src/extension', 'src/charts', 'src/webview'];

/** Where translators find every text, from the root of the repository. */
export const bundleFile = 'l10n/bundle.l10n.json';

const imported = "import * as l10n from '@vscode/l10n';";

/** All texts that the code hands to `l10n.t`, in the order of the alphabet, as JSON. */
export async function bundleOfTexts(root: string): Promise<string> {
  const sources = rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(root, room, name), 'utf8')),
  );
  // As one file with one import: each would be searched for by a query of its own, which takes seconds.
  const contents = [
    imported,
    ...sources.map((source) => source.replace(/^import .* from '(@vscode\/l10n|vscode)';$/gm, '')),
  ];
  const texts = Object.entries(await getL10nJson([{ extension: '.ts', contents: contents.join('\n') }]));
  texts.sort(([a], [b]) => (a < b ? -1 : 1));
  return `${JSON.stringify(Object.fromEntries(texts), null, 2)}\n`;
}

/* `npm run texts` writes the bundle from the code. */
if (import.meta.filename === process.argv[1]) {
  const root = join(import.meta.dirname, '..');
  writeFileSync(join(root, bundleFile), await bundleOfTexts(root));
}
