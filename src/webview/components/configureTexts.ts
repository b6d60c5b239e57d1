import { config } from '@vscode/l10n';

// Gives `t` the texts of the display language, which the host wrote into the page if there is a translation. Imported
// before all modules with texts: some are in constants.
const { texts } = document.body.dataset;
if (texts !== undefined) config({ contents: texts });
