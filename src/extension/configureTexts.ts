import { config } from '@vscode/l10n';
import * as vscode from 'vscode';

// Gives `t` the texts of the display language, if there is a translation. Imported before all modules with texts: some
// are in constants.
if (vscode.l10n.bundle !== undefined) config({ contents: vscode.l10n.bundle });
