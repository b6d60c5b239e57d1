import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Mocha from 'mocha';
import { patience } from '../e2e/until.ts';

/**
 * What the extension host calls: runs every test file beside this one. `FIVECROP_GREP` keeps only the tests whose
 * name matches.
 */
export async function run(): Promise<void> {
  const grep = process.env['FIVECROP_GREP'];
  const mocha = new Mocha({ timeout: 5 * patience, color: false, ...(grep === undefined ? {} : { grep }) });
  // Bundled as CommonJS, where the host's loader runs it.
  for (const name of readdirSync(__dirname).sort()) {
    if (name.endsWith('.test.cjs')) mocha.addFile(join(__dirname, name));
  }
  const failures = await new Promise<number>((resolve) => mocha.run(resolve));
  if (failures > 0) throw new Error(`${failures} tests failed`);
}
