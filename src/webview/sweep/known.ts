import type { ShownTrial, SweepPanelToPage } from '../../protocol/sweepPanel.ts';

/** What the host has said of the sweep itself. */
export type SweepHead = Extract<SweepPanelToPage, { type: 'sweep' }>;

/** What the host has said. */
export type Known = {
  head?: SweepHead;
  /** Best first; the same list as long as nothing of it changes. */
  trials: readonly ShownTrial[];
  error?: string;
};
