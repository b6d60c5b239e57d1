#!/usr/bin/env node
// What @vscode/test-electron starts in the place of a desktop VS Code; see desktopShim.ts.
import { register } from 'tsx/esm/api';

register();
await import('./desktopShim.ts');
