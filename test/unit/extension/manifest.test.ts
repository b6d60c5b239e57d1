import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodedEndings } from '../../../src/protocol/imageFiles.ts';
import { deviceChoices, engineChoices, trainingConfigSchema } from '../../../src/protocol/trainingConfig.ts';

const root = join(import.meta.dirname, '..', '..', '..');

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string; readonly title: string }[];
    readonly menus: Readonly<Record<string, readonly { readonly command: string; readonly when?: string }[]>>;
    readonly keybindings: readonly { readonly command: string; readonly when: string }[];
    readonly walkthroughs: readonly { readonly steps: readonly { readonly completionEvents: readonly string[] }[] }[];
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly configuration: { readonly properties: Readonly<Record<string, Setting>> };
  };
}
interface Setting {
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly enumDescriptions?: readonly string[];
  readonly markdownDescription?: string;
}

const text = readFileSync(join(root, 'package.json'), 'utf8');
const { contributes } = JSON.parse(text) as Manifest;
const strings = JSON.parse(readFileSync(join(root, 'package.nls.json'), 'utf8')) as Record<string, string>;
const code = readdirSync(join(root, 'src', 'extension'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(join(root, 'src', 'extension', name), 'utf8'))
  .join('\n');
const commands = contributes.commands.map(({ command }) => command);

function found(pattern: RegExp): string[] {
  return [...new Set([...code.matchAll(pattern)].map(([, name]) => name ?? ''))].sort();
}

test('every command of package.json is registered by the code, and no other', () => {
  assert.deepEqual(found(/registerCommand\(\s*'(fivecrop\.\w+)'/g), commands.toSorted());
});

test('menus, the code and the walkthrough name only commands that there are', () => {
  const inMenus = Object.values(contributes.menus).flatMap((entries) => entries.map(({ command }) => command));
  const linked = [...JSON.stringify(strings).matchAll(/command:(fivecrop\.\w+)/g)].map(([, name]) => name ?? '');
  const waitedFor = [...text.matchAll(/onCommand:(fivecrop\.\w+)/g)].map(([, name]) => name ?? '');
  const run = found(/(?:executeCommand|runCommand)\(\s*'(fivecrop\.\w+)'/g);
  for (const name of [...inMenus, ...linked, ...waitedFor, ...run]) assert.ok(commands.includes(name), name);
});

test('keys and conditions name only commands that there are and context keys that the code sets', () => {
  for (const { command, when } of contributes.keybindings) {
    assert.ok(commands.includes(command), command);
    assert.match(when, /^focusedView == fivecrop\.\w+ && listFocus && !inputFocus$/);
  }
  const conditions = [...text.matchAll(/"(?:when": "|onContext:)([^"]+)"/g)].map(([, condition]) => condition ?? '');
  // Our context keys say what there is, which tells them from views and schemes.
  const keys = conditions.flatMap((condition) => [...condition.matchAll(/fivecrop\.has\w+/g)].map(([key]) => key));
  assert.deepEqual([...new Set(keys)].sort(), found(/(?:fulfil\(|'setContext',)\s*'(fivecrop\.\w+)'/g));
});

test('every step of the walkthrough is ticked by what is there, not by a command that was opened', () => {
  const events = contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ completionEvents }) => completionEvents));
  for (const [event, ...others] of events) {
    assert.match(event ?? '', /^onContext:/);
    assert.deepEqual(others, []);
  }
});

test('views of package.json and of the code are the same', () => {
  const views = Object.values(contributes.views).flatMap((list) => list.map(({ id }) => id));
  assert.deepEqual(found(/createTreeView<\w+>\(\s*'([\w.]+)'/g), views.toSorted());
});

test('settings of package.json and those that the code reads are the same', () => {
  const read = found(/(?:\.get(?:<\w+>)?\(\s*|oneOf\(\w+, configuration\.get\()'(\w+)'/g);
  const named = Object.keys(contributes.configuration.properties).map((key) => key.replace('fivecrop.', ''));
  assert.deepEqual(read, named.toSorted());
  const affected = found(/affectsConfiguration\('fivecrop\.(\w+)'/g);
  for (const name of affected) assert.ok(named.includes(name), name);
});

test('settings offer what the trainer takes, by the same defaults', () => {
  const { properties } = contributes.configuration;
  const network = { kind: 'architecture', name: 'any' };
  const { engine, device, batchSize, cacheMegabytes } = trainingConfigSchema.parse({ data: '/', network });
  assert.deepEqual(properties['fivecrop.engine']?.enum, engineChoices);
  assert.deepEqual(properties['fivecrop.device']?.enum, deviceChoices);
  const defaults = ['engine', 'device', 'batchSize', 'imageCacheMegabytes'].map(
    (name) => properties[`fivecrop.${name}`]?.default,
  );
  assert.deepEqual(defaults, [engine, device, batchSize, cacheMegabytes]);
  for (const [name, setting] of Object.entries(properties)) assert.ok(setting.markdownDescription, name);
});

test('every string that package.json refers to is there, and every string is used', () => {
  const used = [...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key ?? '');
  assert.deepEqual([...new Set(used)].sort(), Object.keys(strings).sort());
});

test('files that package.json names are in the repository', () => {
  const files = [...text.matchAll(/"(media\/[^"]+)"/g)].map(([, path]) => path ?? '');
  assert.ok(files.length > 3);
  for (const path of files) assert.ok(existsSync(join(root, path)), path);
});

test('Classify Image is offered on exactly the files that can be decoded', () => {
  const conditions = Object.values(contributes.menus)
    .flat()
    .filter(({ command, when }) => command === 'fivecrop.classifyImage' && when?.includes('resourceExtname') === true);
  assert.equal(conditions.length, 2, 'in the explorer and in the title of an image editor');
  for (const { when = '' } of conditions) {
    const [, pattern = ''] = /resourceExtname =~ \/\^\\\.\(([\w|]+)\)\$\/i/.exec(when) ?? [];
    assert.deepEqual(pattern.split('|'), [...decodedEndings], when);
  }
});

test('what is offered for a folder of the explorer is in its menu, and in the palette at any time', () => {
  for (const { command, when } of contributes.menus['commandPalette'] ?? []) assert.doesNotMatch(when ?? '', /explorerResource/, command); // prettier-ignore
  const ofFolders = (contributes.menus['explorer/context'] ?? []).filter(({ when }) => when?.startsWith('explorerResourceIsFolder') === true); // prettier-ignore
  for (const command of [
    'fivecrop.trainOnFolder',
    'fivecrop.cleanData',
    'fivecrop.labelImages',
    'fivecrop.showFeatureMap',
  ]) {
    assert.ok(ofFolders.some((each) => each.command === command), command); // prettier-ignore
  }
});
