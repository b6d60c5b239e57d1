import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Why a case that starts the built command and watches its memory cannot be measured here; empty where it can. */
export function builtCommandMissing(): { readonly unavailable?: string } {
  if (!existsSync(join(import.meta.dirname, '../dist/ml/fivecrop.mjs'))) {
    return { unavailable: 'it runs the built command: npm run build first.' };
  }
  return existsSync('/proc/self/status')
    ? {}
    : { unavailable: 'it reads the peak memory of another process from /proc, which only Linux has.' };
}
