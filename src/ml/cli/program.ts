import { Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };

const footer = `
Get started:
  fivecrop sample flowers                                  draws a small data set
  fivecrop train --config flowers/sample.fivecrop.json     trains a small network on it, with the settings in it
  fivecrop predict flowers/test --checkpoint runs/NAME     classifies images over five crops

Exit codes: 0 done, 1 failed, 2 incorrect usage, 130 interrupted. FIVECROP_DEBUG=1 shows the stack of a failure.
See fivecrop <command> --help for the flags and examples of a command.`;

const versionFlags: readonly string[] = ['-V', '--version'];

/** What makes each command, in the order of the help. A command is loaded where it is called: all together they take most of a second. */
const makers: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import('./trainCommand.ts')).trainCommand(),
  samples: async () => (await import('./samplesCommand.ts')).samplesCommand(),
  'lr-find': async () => (await import('./lrFindCommand.ts')).lrFindCommand(),
  estimate: async () => (await import('./estimateCommand.ts')).estimateCommand(),
  test: async () => (await import('./testCommand.ts')).testCommand(),
  assert: async () => (await import('./assertCommand.ts')).assertCommand(),
  calibrate: async () => (await import('./calibrateCommand.ts')).calibrateCommand(),
  predict: async () => (await import('./predictCommand.ts')).predictCommand(),
  compare: async () => (await import('./compareCommand.ts')).compareCommand(),
  study: async () => (await import('./studyCommand.ts')).studyCommand(),
  sweep: async () => (await import('./sweepCommand.ts')).sweepCommand(),
  job: async () => (await import('./jobCommand.ts')).jobCommand(),
  submit: async () => (await import('./submitCommand.ts')).submitCommand(),
  import: async () => (await import('./importCommand.ts')).importCommand(),
  check: async () => (await import('./checkCommand.ts')).checkCommand(),
  suspects: async () => (await import('./suspectsCommand.ts')).suspectsCommand(),
  features: async () => (await import('./featuresCommand.ts')).featuresCommand(),
  clean: async () => (await import('./cleanCommand.ts')).cleanCommand(),
  label: async () => (await import('./labelCommand.ts')).labelCommand(),
  explain: async () => (await import('./explainCommand.ts')).explainCommand(),
  export: async () => (await import('./exportCommand.ts')).exportCommand(),
  verify: async () => (await import('./verifyCommand.ts')).verifyCommand(),
  serve: async () => (await import('./serveCommand.ts')).serveCommand(),
  mcp: async () => (await import('./mcpCommand.ts')).mcpCommand(),
  page: async () => (await import('./pageCommand.ts')).pageCommand(),
  runs: async () => (await import('./runsCommand.ts')).runsCommand(),
  networks: async () => (await import('./networksCommand.ts')).networksCommand(),
  devices: async () => (await import('./devicesCommand.ts')).devicesCommand(),
  sample: async () => (await import('./sampleCommand.ts')).sampleCommand(),
};

/**
 * The `fivecrop` command for these arguments, which are already ours (`normaliseArguments`). Errors are thrown, also the
 * parser's, and nothing exits the process.
 */
export async function createProgram([first = '']: readonly string[]): Promise<Command> {
  const program = new Command('fivecrop')
    .description('Trains image classifiers, tests them, and classifies images over five crops.')
    .version(packageJson.version, versionFlags.join(', '), 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Flags behind the name of a command are that command's, also where one above it has a flag of that name.
    .enablePositionalOptions()
    .addHelpText('after', footer);
  const commands = await Promise.all(makersFor(first).map((make) => make()));
  const parts = commands.flatMap((command) => command.commands);
  for (const command of [...commands, ...parts]) command.helpOption('-h, --help', 'print this help');
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...parts]) throwInsteadOfExit(command);
  return program;
}

/** Behind a command's name all else is for it; what is no name may ask for, or need, the names of all. */
function makersFor(first: string): readonly (() => Promise<Command>)[] {
  if (Object.hasOwn(makers, first)) return [makers[first]].filter((make) => make !== undefined);
  return versionFlags.includes(first) ? [] : Object.values(makers);
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  // The message is printed once, where the error is caught.
  command.configureOutput({ outputError: () => undefined });
  command.configureHelp({ showGlobalOptions: false });
}
