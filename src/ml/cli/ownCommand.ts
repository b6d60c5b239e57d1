import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** How this very `fivecrop` is started again: Node.js with its options, and the script. All paths are absolute. */
export function ownCommand(): readonly string[] {
  const script = import.meta.url.endsWith('.ts') ? './main.ts' : './fivecrop.mjs';
  return [process.execPath, ...process.execArgv, fileURLToPath(new URL(script, import.meta.url))];
}
