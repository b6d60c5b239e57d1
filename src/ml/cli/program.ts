import { Command } from 'commander';
import packageJson from '../../../package.json' with { type: 'json' };
import { assertCommand } from './assertCommand.ts';
import { calibrateCommand } from './calibrateCommand.ts';
import { checkCommand } from './checkCommand.ts';
import { cleanCommand } from './cleanCommand.ts';
import { compareCommand } from './compareCommand.ts';
import { devicesCommand } from './devicesCommand.ts';
import { estimateCommand } from './estimateCommand.ts';
import { explainCommand } from './explainCommand.ts';
import { featuresCommand } from './featuresCommand.ts';
import { exportCommand } from './exportCommand.ts';
import { importCommand } from './importCommand.ts';
import { jobCommand } from './jobCommand.ts';
import { labelCommand } from './labelCommand.ts';
import { lrFindCommand } from './lrFindCommand.ts';
import { mcpCommand } from './mcpCommand.ts';
import { networksCommand } from './networksCommand.ts';
import { pageCommand } from './pageCommand.ts';
import { predictCommand } from './predictCommand.ts';
import { runsCommand } from './runsCommand.ts';
import { sampleCommand } from './sampleCommand.ts';
import { samplesCommand } from './samplesCommand.ts';
import { serveCommand } from './serveCommand.ts';
import { studyCommand } from './studyCommand.ts';
import { submitCommand } from './submitCommand.ts';
import { sweepCommand } from './sweepCommand.ts';
import { suspectsCommand } from './suspectsCommand.ts';
import { testCommand } from './testCommand.ts';
import { trainCommand } from './trainCommand.ts';
import { verifyCommand } from './verifyCommand.ts';

const footer = `
Get started:
  fivecrop sample flowers                                  draws a small data set
  fivecrop train --config flowers/sample.fivecrop.json     trains a small network on it, with the settings in it
  fivecrop predict flowers/test --checkpoint runs/NAME     classifies images over five crops

Exit codes: 0 done, 1 failed, 2 incorrect usage, 130 interrupted. FIVECROP_DEBUG=1 shows the stack of a failure.
See fivecrop <command> --help for the flags and examples of a command.`;

/** The whole `fivecrop` command. Errors are thrown, also the parser's, and nothing exits the process. */
export function createProgram(): Command {
  const program = new Command('fivecrop')
    .description('Trains image classifiers, tests them, and classifies images over five crops.')
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    // Flags behind the name of a command are that command's, also where one above it has a flag of that name.
    .enablePositionalOptions()
    .addHelpText('after', footer);
  const commands = [
    trainCommand(),
    samplesCommand(),
    lrFindCommand(),
    estimateCommand(),
    testCommand(),
    assertCommand(),
    calibrateCommand(),
    predictCommand(),
    compareCommand(),
    studyCommand(),
    sweepCommand(),
    jobCommand(),
    submitCommand(),
    importCommand(),
    checkCommand(),
    suspectsCommand(),
    featuresCommand(),
    cleanCommand(),
    labelCommand(),
    explainCommand(),
    exportCommand(),
    verifyCommand(),
    serveCommand(),
    mcpCommand(),
    pageCommand(),
    runsCommand(),
    networksCommand(),
    devicesCommand(),
    sampleCommand(),
  ];
  const parts = commands.flatMap((command) => command.commands);
  for (const command of [...commands, ...parts]) command.helpOption('-h, --help', 'print this help');
  for (const command of commands) program.addCommand(command);
  for (const command of [program, ...commands, ...parts]) throwInsteadOfExit(command);
  return program;
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  // The message is printed once, where the error is caught.
  command.configureOutput({ outputError: () => undefined });
  command.configureHelp({ showGlobalOptions: false });
}
