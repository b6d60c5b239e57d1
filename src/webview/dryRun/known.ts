import type { DryRunPanelToPage } from '../../protocol/dryRunPanel.ts';

type Of<Type extends DryRunPanelToPage['type']> = Extract<DryRunPanelToPage, { type: Type }>;

/** All that the host said last. */
export type Known = { [Type in DryRunPanelToPage['type']]?: Of<Type> };
