import { cardText, type RunRecord } from '../../protocol/runRecord.ts';
import { html, type Markup } from './markup.ts';
import { section } from './pageDocument.ts';
import { facts } from './tables.ts';

/** What a run was made with, so that it can be made again. */
export function environmentSection({ environment, config: { network }, licence }: RunRecord): Markup {
  const { fivecrop, node, platform, machine, engine, engineVersion, device, card, fallbacks } = environment;
  const pin = network.kind === 'architecture' ? network.hub : undefined;
  return section(
    'Environment',
    facts([
      ['Fivecrop', fivecrop],
      ['Node.js', node],
      ['System', platform],
      ['Machine', machine],
      ['Engine', engine && [engine, engineVersion].filter((part) => part !== undefined).join(' ')],
      ['Device', device],
      ['Graphics card', card && cardText(card)],
      ['Its libraries', card?.provider],
      ['Commit of the weights', pin?.commit],
      ['SHA-256 of the weights', pin?.sha256],
      ['License of the weights', licence],
    ]),
    html`${fallbacks.map((fallback) => html`<p class="hint">${fallback}</p>`)}`,
  );
}
