import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/**
 * The licences of the packages that bundled files come from, as one text: a bundle holds their code without them.
 * `files` are paths relative to `root`, as esbuild's metafile has them.
 */
export function licencesOf(root, files) {
  const folders = new Set(files.flatMap((file) => packageFolder.exec(file) ?? []));
  const entries = [...folders].sort().map((folder) => licenceOf(join(root, folder)));
  return `The files beside this one hold code of these packages.\n\n${entries.join('\n\n')}\n`;
}

function licenceOf(folder) {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const title = [`${name} ${version}`, license, homepage].filter(Boolean).join(', ');
  const names = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = names.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return ['='.repeat(title.length), title, '='.repeat(title.length), ...texts].join('\n');
}
