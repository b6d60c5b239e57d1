import { Command, Option } from 'commander';
import { resolve } from 'node:path';
import { type DataEdit, dataEditSchema, journalFile } from '../../protocol/dataEdits.ts';
import { usageError } from '../../protocol/errors.ts';
import { ignoreFile } from '../../protocol/ignoreList.ts';
import { plural } from '../../protocol/plural.ts';
import { createDataEditor, type DataEditor } from '../cleaning/dataEditor.ts';
import { editSentence } from '../cleaning/editSentence.ts';
import { listFolder } from '../data/listFolder.ts';
import { pathIn } from '../data/pathIn.ts';
import { scanDataset, scanOptionsOf } from '../data/scanDataset.ts';
import { configOptions, parseTrainingConfig, settingsFromFlags, type OptionValues } from './configFlags.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop clean flowers --move flowers/rose/12.jpg --to tulip
  fivecrop clean flowers --put-aside flowers/rose/7.jpg flowers/rose/9.jpg
  fivecrop clean flowers --rename tulips --to tulip
  fivecrop clean flowers --merge "red tulip" --to tulip
  fivecrop clean flowers --list
  fivecrop clean flowers --revert 3

Nothing is deleted. Images that are put aside are listed in ${ignoreFile} in the data folder, which every command
respects; every edit is a line in ${journalFile} beside it, and can be undone. An image that is moved stays in its
split folder.`;

/** Of these one is given; `--move`, `--rename` and `--merge` go with `--to`. */
const actions = ['move', 'putAside', 'keep', 'rename', 'merge', 'list', 'revert', 'redo'] as const;
type Action = (typeof actions)[number];

/** `fivecrop clean`: see its help text. */
export function cleanCommand(): Command {
  const command = new Command('clean')
    .summary('move images to other classes, put them aside, rename and merge classes, and undo that')
    .description('Edits a data folder so that every edit can be undone.')
    .argument('<data>', 'folder of images, as for train')
    .option('--move <images...>', 'move images into the folder of another class, or of a new one')
    .option('--put-aside <images...>', 'put images aside: every command leaves them out')
    .option('--keep <images...>', 'mark the classes of images as right: Clean Data no longer shows them')
    .option('--rename <class>', 'give the folder of a class another name')
    .option('--merge <class>', 'move all images of a class into another class')
    .option('--to <class>', 'the other class')
    .option('--list', 'list the edits, oldest first')
    .addOption(new Option('--revert [n]', 'undo the last edits: a number, or all').preset('1'))
    .addOption(new Option('--redo [n]', 'redo edits that were undone: a number, or all').preset('1'))
    .addHelpText('after', examples);
  for (const option of configOptions()) if (option.long === '--layout') command.addOption(option);
  return command
    .option('--json', 'print one object per edit, one per line')
    .action((data: string, options: OptionValues) => clean(data, options));
}

async function clean(data: string, options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const given = actions.filter((action) => options[action] !== undefined);
  const [action = 'list'] = given;
  if (given.length > 1) throw usageError(`Give one of ${given.map(flagOf).join(' and ')} at a time.`);
  // A folder that is not there has no journal either, but that is not what is wrong with it.
  await listFolder(data);
  const editor = createDataEditor(data);
  if (action === 'list') return list(editor, output);
  if (action === 'revert' || action === 'redo') return inTurn(editor, action, String(options[action]), output);
  const edit = editFrom(data, action, options);
  const config = parseTrainingConfig({ data, network: { kind: 'architecture', name: 'any' }, ...settingsFromFlags(options) }); // prettier-ignore
  const { splitBy } = await scanDataset(data, scanOptionsOf(config));
  await editor.edit(edit, splitBy === 'folders' ? 'splits' : 'classes');
  output.object({ edit, undone: false });
  output.print(`Done: ${editSentence(edit)}.`);
}

function flagOf(action: Action): string {
  return `--${action.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

function editFrom(data: string, kind: Exclude<Action, 'list' | 'revert' | 'redo'>, options: OptionValues): DataEdit {
  const { to } = options;
  const needsTo = kind === 'move' || kind === 'rename' || kind === 'merge';
  if (needsTo && to === undefined) throw usageError(`${flagOf(kind)} needs the other class: --to CLASS.`);
  if (!needsTo && to !== undefined) throw usageError(`--to does nothing with ${flagOf(kind)}.`);
  const value = options[kind];
  const images = Array.isArray(value) ? value.map((image) => pathIn(resolve(data), resolve(String(image)))) : [];
  const parsed = dataEditSchema.safeParse({ kind, images, from: value, ...(needsTo ? { to } : {}) });
  if (!parsed.success) throw usageError(`${flagOf(kind)}: ${parsed.error.issues[0]?.message ?? ''}.`);
  return parsed.data;
}

async function list(editor: DataEditor, output: Output): Promise<void> {
  const edits = await editor.edits();
  for (const edit of edits) output.object(edit);
  if (edits.length === 0) output.say('Nothing has been edited.');
  const rows = edits.map(({ id, time, edit, undone }) => [String(id), time, undone ? 'undone' : '', editSentence(edit)]); // prettier-ignore
  if (rows.length > 0) for (const line of formatTable(['edit', 'time', '', 'what'], rows)) output.print(line);
}

async function inTurn(editor: DataEditor, action: 'revert' | 'redo', text: string, output: Output): Promise<void> {
  const most = text === 'all' ? Infinity : Number(text);
  if (!(most === Infinity || (Number.isInteger(most) && most > 0))) {
    throw usageError(`--${action} takes a whole number from 1 on, or all.`);
  }
  let count = 0;
  for (; count < most; count++) {
    const edit = await (action === 'revert' ? editor.undo() : editor.redo());
    if (!edit) break;
    output.object({ edit, undone: action === 'revert' });
    output.print(`${action === 'revert' ? 'Undone' : 'Redone'}: ${editSentence(edit)}.`);
  }
  const [todo, done] = action === 'revert' ? ['undo', 'undone'] : ['redo', 'redone'];
  output.say(count === 0 ? `There is no edit to ${todo}.` : `${plural(count, 'edit')} ${done}.`);
}
