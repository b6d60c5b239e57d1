import process from 'node:process';
import { visibleLines } from '../../protocol/visibleText.ts';
import { endingOf } from './failure.ts';
import { normaliseArguments } from './normaliseArguments.ts';
import { endQuietlyOnClosedPipe } from './output.ts';
import { createProgram } from './program.ts';

endQuietlyOnClosedPipe();
try {
  const argv = normaliseArguments(process.argv.slice(2));
  await (await createProgram(argv)).parseAsync(argv, { from: 'user' });
} catch (error) {
  const { code, message } = endingOf(error);
  if (message !== undefined) process.stderr.write(`${visibleLines(message)}\n`);
  process.exitCode = code;
}
