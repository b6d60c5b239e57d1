import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { chromium as playwrightChromium, type Browser as DrivenBrowser } from 'playwright-core';
import { userError } from '../../src/protocol/errors.ts';
import { installOnce } from './cache.ts';
import { hasRegistryHost } from './codeHost.ts';
import { unpackRegistryPackage, type RegistryPackage } from './registryPackage.ts';

const execute = promisify(execFile);

/** A Chromium to drive: what to start, and the environment that it needs beside the present one. */
export type BrowserInstallation = { executablePath: string; env: Record<string, string> };

const chromium: RegistryPackage = {
  name: '@sparticuz/chromium',
  version: '153.0.0',
  integrity: 'sha512-jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA==',
};

/** The package's own names folders of another machine. */
const fontsConfig = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

const installedBrowsers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/microsoft-edge'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

const noBrowser = 'No Chrome, Chromium or Edge was found; name one in the environment variable FIVECROP_BROWSER.';

/** Why no browser can be driven here, for `test(..., { skip })`; false where one can. */
export function browserMissing(): string | false {
  return hasRegistryHost() || installedBrowser() !== undefined ? false : noBrowser;
}

/**
 * The browser of `FIVECROP_BROWSER`; on linux-x64 the headless Chromium of an npm package, with the libraries that a
 * bare system lacks; elsewhere an installed Chrome, Chromium or Edge. Throws a user error where there is none.
 */
export async function findBrowser(): Promise<BrowserInstallation> {
  if (process.env['FIVECROP_BROWSER'] === undefined && hasRegistryHost()) return installChromium();
  const executablePath = installedBrowser();
  if (executablePath === undefined) throw userError(noBrowser);
  return { executablePath, env: {} };
}

function installedBrowser(): string | undefined {
  return process.env['FIVECROP_BROWSER'] ?? installedBrowsers[process.platform]?.find((path) => existsSync(path));
}

/**
 * SwiftShader, a Vulkan device in software: the environment that makes a Vulkan loader find it. For tests of WebGPU
 * on linux-x64 machines without a graphics card.
 */
export async function softwareVulkan(): Promise<Record<string, string>> {
  const folder = await chromiumFolder();
  return {
    VK_ICD_FILENAMES: join(folder, 'vk_swiftshader_icd.json'),
    LD_LIBRARY_PATH: libraryPath(folder),
  };
}

async function installChromium(): Promise<BrowserInstallation> {
  const folder = await chromiumFolder();
  return {
    executablePath: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: libraryPath(join(folder, 'lib')), FONTCONFIG_PATH: join(folder, 'fonts') },
  };
}

function libraryPath(folder: string): string {
  return [process.env['LD_LIBRARY_PATH'], folder].filter((path) => path !== undefined && path !== '').join(':');
}

async function chromiumFolder(): Promise<string> {
  return installOnce(`chromium-${chromium.version}`, async (folder) => {
    const packed = join(folder, 'package');
    await unpackRegistryPackage(chromium, packed);
    await mkdir(join(folder, 'fonts'));
    await inflate(join(packed, 'bin', 'chromium.br'), join(folder, 'chromium'), 0o755);
    for (const name of ['al2023', 'swiftshader', 'fonts']) {
      const archive = join(packed, `${name}.tar`);
      await inflate(join(packed, 'bin', `${name}.tar.br`), archive, 0o644);
      const target = name === 'fonts' ? join(folder, 'fonts') : folder;
      await execute('tar', ['-xf', archive, '-C', target, '--no-same-owner']);
    }
    await writeFile(join(folder, 'fonts', 'fonts.conf'), fontsConfig);
    await rm(packed, { recursive: true });
  });
}

async function inflate(from: string, to: string, mode: number): Promise<void> {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to, { mode }));
}

/** Starts the browser without a window. Throws a user error where there is no browser. */
export async function launchBrowser(): Promise<DrivenBrowser> {
  const { executablePath, env } = await findBrowser();
  return playwrightChromium.launch({
    executablePath,
    // Of the C locale it makes the language "en-US@posix", which Intl refuses.
    env: { ...process.env, ...env, LANGUAGE: 'en_US', LC_ALL: 'en_US.UTF-8' },
    args: [
      '--no-sandbox',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Else it rounds what a page takes.
      '--enable-precise-memory-info',
    ],
  });
}
