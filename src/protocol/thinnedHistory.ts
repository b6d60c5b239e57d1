import type { TrainingEvent, TrainingEventOf } from './trainingEvents.ts';

/** Events of a run that are held at once; when there are more, they are thinned. */
export const mostHeldEvents = 20_000;

/** Events of a thinned history at most: one message carries them to a page. */
export const mostThinnedEvents = 10_000;

/** Of each kind: how many of the newest stay all, and from how many equal ranges of steps some of the older ones stay. */
const stays = {
  steps: { newest: 2000, ranges: 2000 },
  validations: { newest: 200, ranges: 500 },
  pinned: { newest: 1, ranges: 100 },
  lines: 1000,
  starts: 100,
} as const;

type Step = TrainingEventOf<'step'>;
type Validation = TrainingEventOf<'validation'>;
type Pinned = TrainingEventOf<'pinned'>;

/**
 * A history that looks the same when it is drawn, with far fewer events: the newest stay; of the older steps the lowest and
 * the highest loss in each of two thousand ranges, so that no spike is lost, with the mean of those that go; of the older
 * validations the lowest and highest losses and the best; the last lines of the log. Thinning again what came since keeps
 * the curve even.
 */
export function thinnedHistory(events: readonly TrainingEvent[]): TrainingEvent[] {
  const kept = keptEvents(events);
  const thinned: TrainingEvent[] = [];
  let [steps, sum] = [0, 0];
  for (const event of events) {
    if (event.event === 'start') [steps, sum] = [0, 0];
    if (event.event !== 'step') {
      if (kept.has(event)) thinned.push(event);
      continue;
    }
    const { mean = { steps: 1, loss: event.loss } } = event;
    steps += mean.steps;
    sum += mean.steps * mean.loss;
    if (!kept.has(event)) continue;
    const loss = Number.isFinite(sum) ? sum / steps : event.loss;
    thinned.push(steps === mean.steps ? event : { ...event, mean: { steps, loss } });
    [steps, sum] = [0, 0];
  }
  return thinned;
}

function keptEvents(events: readonly TrainingEvent[]): ReadonlySet<TrainingEvent> {
  const of = <Name extends TrainingEvent['event']>(...names: readonly Name[]) =>
    events.filter((event): event is TrainingEventOf<Name> => names.some((name) => name === event.event));
  const starts = of('start').slice(-stays.starts);
  const isStart = (event: TrainingEvent | undefined) => event?.event === 'start' && starts.includes(event);
  return new Set<TrainingEvent>([
    ...starts,
    // What came last before a resume says how long the run had trained until then.
    ...events.filter((_, index) => isStart(events[index + 1])),
    ...outstanding<Step>(of('step'), stays.steps, [lowestLoss, highestLoss]),
    ...outstanding<Validation>(of('validation'), stays.validations, [lowestValidLoss, highestValidLoss, bestAccuracy]),
    ...outstanding<Pinned>(of('pinned'), stays.pinned, [first]),
    ...of('checkpoint', 'log', 'state', 'done').slice(-stays.lines),
  ]);
}

/** Whether one event says more than the other. */
type Outdoes<Event> = (one: Event, other: Event) => boolean;

const lowestLoss: Outdoes<Step> = (one, other) => one.loss < other.loss;
const highestLoss: Outdoes<Step> = (one, other) => one.loss > other.loss;
const lowestValidLoss: Outdoes<Validation> = (one, other) => one.validLoss < other.validLoss;
const highestValidLoss: Outdoes<Validation> = (one, other) => one.validLoss > other.validLoss;
/** As `best` is chosen. */
const bestAccuracy: Outdoes<Validation> = (one, other) =>
  one.validAccuracy > other.validAccuracy || (one.validAccuracy === other.validAccuracy && lowestValidLoss(one, other));
const first: Outdoes<Pinned> = () => false;

/** The newest events, and of the older ones those that outdo all others of their range of steps. */
function outstanding<Event extends { readonly step: number }>(
  events: readonly Event[],
  { newest, ranges }: { readonly newest: number; readonly ranges: number },
  kinds: readonly Outdoes<Event>[],
): readonly Event[] {
  const older = events.slice(0, -newest);
  const width = rangeWidth(older, ranges);
  const found: Event[] = [];
  let range: number | undefined;
  let leaders: Event[] = [];
  for (const event of older) {
    const own = Math.floor(event.step / width);
    if (own !== range) found.push(...leaders);
    leaders = kinds.map((outdoes, kind) => {
      const leader = own === range ? leaders[kind] : undefined;
      return leader === undefined || outdoes(event, leader) ? event : leader;
    });
    range = own;
  }
  // Steps that do not rise, as in no run of ours, make more ranges than there should be.
  const most = ranges * kinds.length;
  return [...[...found, ...leaders].slice(-most), ...events.slice(-newest)];
}

/** A power of two, so that the ranges of an earlier thinning lie whole in those of a later one. */
function rangeWidth(events: readonly { readonly step: number }[], ranges: number): number {
  const span = (events.at(-1)?.step ?? 0) - (events[0]?.step ?? 0);
  return 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, span) / (ranges - 1))));
}
