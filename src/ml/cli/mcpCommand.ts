import { Command } from 'commander';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { deviceChoices, engineChoices } from '../../protocol/trainingConfig.ts';
import { openWorkplace } from '../../agents/workplace.ts';
import { computingOptions } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput } from './output.ts';

const examples = `
Examples:
  fivecrop mcp                                             the tools, for the folder that it is started in
  fivecrop mcp --root flowers-project --allow-writes

A client of the Model Context Protocol (MCP) starts it and speaks with it over standard input and output; in its
configuration, the command is fivecrop and the arguments are mcp --root FOLDER. Tools that only read are free. Those that
write or start something ask the user first, through the client. Of a client that cannot ask they are refused, unless
--allow-writes lets them do so without a question. Paths outside the folder are refused, and links that lead out of it. A
training goes on after the server ends; stop_training stops it.`;

/** `fivecrop mcp`: see its help text. */
export function mcpCommand(): Command {
  const command = new Command('mcp')
    .summary('offer its tools to agents, by the Model Context Protocol')
    .description(
      'Serves tools for agents over standard input and output: check data, train, follow, stop, test, compare, predict, explain, find suspects, export, list.',
    )
    .option('--root <folder>', 'the only folder that tools read and write', '.')
    .option('--runs <folder>', 'folder of the runs, which may be elsewhere [runs, in the root]')
    .option('--allow-writes', 'do what writes or starts something without asking the user')
    .addHelpText('after', examples);
  for (const option of computingOptions()) command.addOption(option);
  return command.action((options: OptionValues) => serve(options));
}

async function serve(options: OptionValues): Promise<void> {
  const output = createOutput(false);
  const root = resolve(String(options['root']));
  const runs = typeof options['runs'] === 'string' ? resolve(options['runs']) : join(root, 'runs');
  const workplace = await openWorkplace([root], [runs]);
  const engine = engineChoices.find((name) => name === options['engine']) ?? 'auto';
  const device = deviceChoices.find((name) => name === options['device']) ?? 'auto';
  const allowWrites = options['allowWrites'] === true;
  // Only this command needs the protocol's library.
  const { serveTools } = await import('../mcp/serveTools.ts');
  if (process.stdin.isTTY)
    output.say('Waiting for a client of the Model Context Protocol on standard input; Ctrl-C ends it.');
  await withInterrupt(
    () => undefined,
    (signal) => serveTools({ workplace, engine, device, allowWrites, signal }),
  );
  // Work that was given up, and the pipes of a training that goes on, would hold this process.
  process.exit(0);
}
