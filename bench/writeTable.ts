import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readResults, withTable } from './table.ts';

/* `npm run bench:table` writes the README's table from bench/results. */
const file = join(import.meta.dirname, '..', 'README.md');
const text = withTable(readFileSync(file, 'utf8'), readResults(join(import.meta.dirname, 'results')));
writeFileSync(file, await format(text, { ...(await resolveConfig(file)), parser: 'markdown' }));
