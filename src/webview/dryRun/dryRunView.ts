import type { DryRunPanelToHost, DryRunPanelToPage } from '../../protocol/dryRunPanel.ts';
import { everyFrame } from '../components/everyFrame.ts';
import type { KeptState } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { onThemeChange } from '../components/themeColors.ts';
import { dryRunHeader } from './dryRunHeader.ts';
import { estimateSection } from './estimateSection.ts';
import type { Known } from './known.ts';
import type { DryRunPageState } from './pageState.ts';
import { rateSection } from './rateSection.ts';
import { samplesSection } from './samplesSection.ts';

export type DryRunViewOptions = {
  root: HTMLElement;
  state: KeptState<DryRunPageState>;
  send: (message: DryRunPanelToHost) => void;
};

/** The page: built once; returns what takes the host's messages. */
export function dryRunView({ root, state, send }: DryRunViewOptions): (message: DryRunPanelToPage) => void {
  let known: Known = {};
  const header = dryRunHeader(send);
  const rate = rateSection(send);
  // The shortest comes first: below a chart nobody would see that it has come.
  const sections = [estimateSection(), rate, samplesSection(send)];
  root.append(header.element, ...sections.map(({ element }) => element));
  keepScroll({ kept: state.value.scroll, keep: (scroll) => state.change({ scroll }) });
  const refresh = everyFrame(() => {
    for (const { draw } of [header, ...sections]) draw(known);
  });
  onThemeChange(rate.restyle);
  refresh();
  return (message) => {
    known = { ...known, [message.type]: message };
    // What begins anew has neither failed nor found anything yet.
    if (message.type === 'progress' && message.busy) delete known.error;
    if (message.type === 'points' && message.points.length === 0) delete known.rate;
    refresh();
  };
}
