import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import * as z from 'zod';
import type { Tool } from '../src/agents/tool.ts';
import { editorName, tools } from '../src/agents/tools.ts';

interface Manifest {
  readonly contributes: { languageModelTools: readonly object[] };
}

/** The manifest with the tools that language models of the editor are offered. */
export async function withTools(text: string, file: string): Promise<string> {
  const manifest = JSON.parse(text) as Manifest;
  manifest.contributes.languageModelTools = tools.map(manifestEntry);
  return format(JSON.stringify(manifest), { ...(await resolveConfig(file)), parser: 'json-stringify' });
}

/** The manifest’s texts with the titles of the tools, in the order of the tools, after all others. */
export async function withToolTitles(text: string, file: string): Promise<string> {
  const others = Object.entries(JSON.parse(text) as Record<string, string>).filter(([key]) => !key.startsWith('tool.'));
  const titles = tools.map(({ name, title }) => [`tool.${name}`, title]);
  const all = JSON.stringify(Object.fromEntries([...others, ...titles]));
  return format(all, { ...(await resolveConfig(file)), parser: 'json' });
}

function manifestEntry({ name, description, input }: Tool): object {
  const { type, properties, required, additionalProperties } = z.toJSONSchema(input, {
    io: 'input',
    target: 'draft-7',
  });
  const inputSchema = { type, properties, required, additionalProperties };
  return {
    name: editorName(name),
    displayName: `%tool.${name}%`,
    modelDescription: withEditorNames(description),
    toolReferenceName: name,
    canBeReferencedInPrompt: true,
    tags: ['machine learning', 'images'],
    when: 'isWorkspaceTrusted',
    inputSchema: JSON.parse(withEditorNames(JSON.stringify(inputSchema))) as object,
  };
}

/** A text in which tools have the names that the editor knows. */
function withEditorNames(text: string): string {
  return tools.reduce((named, { name }) => named.replaceAll(new RegExp(`\\b${name}\\b`, 'gu'), editorName(name)), text);
}

/* `npm run tools:manifest` writes the tools of package.json from their records. */
if (import.meta.filename === process.argv[1]) {
  for (const [name, withNew] of [
    ['package.json', withTools],
    ['package.nls.json', withToolTitles],
  ] as const) {
    const file = join(import.meta.dirname, '..', name);
    writeFileSync(file, await withNew(readFileSync(file, 'utf8'), file));
  }
}
