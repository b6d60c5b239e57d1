import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readResults, withSummary, withTables } from './table.ts';

/* `npm run bench:table` writes the tables of bench/README.md and the short one of README.md from bench/results. */
const results = readResults(join(import.meta.dirname, 'results'));
await write(join(import.meta.dirname, 'README.md'), withTables);
await write(join(import.meta.dirname, '..', 'README.md'), withSummary);

async function write(file: string, withNew: typeof withTables): Promise<void> {
  const text = withNew(readFileSync(file, 'utf8'), results);
  writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }));
}
