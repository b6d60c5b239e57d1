import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..', '..');
const rooms = ['src', 'test', 'bench', 'scripts', 'examples'];

/** The paths of all files and folders in the repository's rooms, with `/` around them. */
const present = rooms.flatMap((room) => [
  `/${room}/`,
  ...readdirSync(join(root, room), { recursive: true }).map(
    (path) => `/${room}/${String(path).replaceAll('\\', '/')}/`,
  ),
]);

/** What a text names in backticks that can only be a file or a folder of ours, whole or by the end of its path. */
function namedIn(text: string): string[] {
  const code = [...text.matchAll(/`([^`\s]+)`/gu)].map(([, token = '']) => token);
  const ofRuns = /^(?:\.\.|test-results|checkpoints\b)/u;
  const isFolder = (token: string) => token.endsWith('/') && !ofRuns.test(token);
  const inRooms = (token: string) => rooms.some((room) => token.startsWith(`${room}/`)) && !/[A-Z]{3}/u.test(token);
  return code.filter((token) => token.endsWith('.ts') || isFolder(token) || inRooms(token));
}

for (const name of ['CONTRIBUTING.md', 'README.md', 'RELIABILITY.md', 'bench/README.md']) {
  test(`the files and folders that ${name} names exist`, () => {
    const named = namedIn(readFileSync(join(root, name), 'utf8'));
    const missing = named.filter((token) => {
      const path = `/${token.replace(/\/$/u, '')}/`;
      return !present.some((other) => other.endsWith(path));
    });
    assert.deepEqual(missing, []);
    if (name === 'CONTRIBUTING.md') assert.ok(named.length > 30, 'the walks name their files');
  });
}
