import { Command } from 'commander';
import { basename, extname, resolve } from 'node:path';
import { bytes } from '../../charts/format.ts';
import { usageError } from '../../protocol/errors.ts';
import { writeTextAtomically } from '../../runs/atomicFile.ts';
import { readResults } from '../results/readResults.ts';
import { runPage } from '../results/runPage.ts';
import type { OptionValues } from './configFlags.ts';
import { createOutput } from './output.ts';

const examples = `
Examples:
  fivecrop page runs/NAME                                  writes NAME.html
  fivecrop page runs/NAME --out results/demo.html

Test the run before (fivecrop test), so that the page has its evaluation and samples. The page holds small pictures of some
of the tested images, the names of files and classes, and no paths of folders.`;

/** `fivecrop page`: see its help text. */
export function pageCommand(): Command {
  return new Command('page')
    .summary('write a run as one HTML page')
    .description(
      'Writes a run as one HTML file that needs no network and no script: curves, evaluation, samples, data, settings and environment.',
    )
    .argument('<run>', 'the folder of a run, or a checkpoint in it')
    .option('--out <file>', 'the HTML file to write [NAME.html in this folder]')
    .option('--json', 'print one object: the file, and its size in bytes')
    .addHelpText('after', examples)
    .action((run: string, options: OptionValues) => writePage(run, options));
}

async function writePage(path: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const { out } = options;
  if (typeof out === 'string' && !['.html', '.htm'].includes(extname(out).toLowerCase())) {
    throw usageError(`${out}: the file to write must be named *.html.`);
  }
  const results = await readResults(resolve(path), output.say);
  const file = typeof out === 'string' ? out : `${basename(results.folder)}.html`;
  const page = await runPage(results);
  await writeTextAtomically(file, page);
  const size = Buffer.byteLength(page);
  output.object({ file: resolve(file), bytes: size });
  output.print(`Wrote ${file}, ${bytes(size)}.`);
}
