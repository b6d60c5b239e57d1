import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import process from 'node:process';

/** Where installers put the program itself; tests need it, because the `code` command returns before VS Code ends. */
const programs: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/share/code/code', '/usr/share/code-insiders/code-insiders', '/opt/visual-studio-code/code'],
  darwin: [
    '/Applications/Visual Studio Code.app/Contents/MacOS/Electron',
    '/Applications/Visual Studio Code - Insiders.app/Contents/MacOS/Electron',
  ],
  win32: [
    join(process.env['LOCALAPPDATA'] ?? '', 'Programs', 'Microsoft VS Code', 'Code.exe'),
    join(process.env['ProgramFiles'] ?? '', 'Microsoft VS Code', 'Code.exe'),
  ],
};

/** The program of an installed desktop VS Code: `FIVECROP_CODE`, or the first of the usual places. */
export function findDesktopCode(): string | undefined {
  return process.env['FIVECROP_CODE'] ?? programs[process.platform]?.find((path) => existsSync(path));
}

/** The `code` command of a desktop VS Code on the PATH. */
export function findCodeCommand(): string | undefined {
  const names = process.platform === 'win32' ? ['code.cmd', 'code-insiders.cmd'] : ['code', 'code-insiders'];
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path));
}
