import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

/** What the licences of code inside a package ask to be said where the package says nothing of it. */
const acknowledgements = {
  '@julusian/jpeg-turbo': `Of it only libjpeg-turbo's own library is here, as dist/ml/libturbojpeg-linux-*.so. libjpeg-turbo, by the libjpeg-turbo
project, D. R. Commander and others, comes under the licence of the Independent JPEG Group and the modified
(three-clause) BSD licence, without any warranty. This software is based in part on the work of the Independent JPEG Group.`,
  '@cornerstonejs/codec-libjpeg-turbo-8bit': `Its WebAssembly is libjpeg-turbo, by the libjpeg-turbo project, D. R. Commander and others, which comes under the licence
of the Independent JPEG Group and the modified (three-clause) BSD licence, without any warranty. This software is based
in part on the work of the Independent JPEG Group.`,
  '@imagemagick/magick-wasm': `Of the libraries in its WebAssembly, whose licences stand above, libheif, libde265, LibRaw, Liquid Rescale and GLib come
under the GNU Lesser General Public License. The module is a file of its own, dist/x86/magick.wasm in the package's folder,
and may be replaced by one that was built from changed sources; https://github.com/dlemstra/Magick.Native has these and
what builds them.`,
};

/**
 * The licences of the packages that files come from, as one text below `heading`. `files` are paths relative to `root`,
 * as esbuild's metafile has them.
 */
export function licencesOf(root, files, heading) {
  const entries = packageFolders(files).map((folder) => licenceOf(join(root, folder)));
  return `${heading}\n\n${entries.join('\n\n')}\n`;
}

/** The folders of the packages that files come from, sorted. */
export function packageFolders(files) {
  return [...new Set(files.flatMap((file) => packageFolder.exec(file) ?? []))].sort();
}

function licenceOf(folder) {
  const { name, version, license, homepage } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const title = [`${name} ${version}`, license, homepage].filter(Boolean).join(', ');
  const names = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  const texts = names.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const said = acknowledgements[name] ?? [];
  return ['='.repeat(title.length), title, '='.repeat(title.length), ...texts, said].flat().join('\n');
}
