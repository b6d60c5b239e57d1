import { createBringer, type DataBringer } from './bringData.ts';
import { isConnectionLost } from './connectionError.ts';
import { lookInterval } from './lookInterval.ts';
import type { RemoteHost } from './remoteHost.ts';
import { withFewTalks } from './withFewTalks.ts';

/** A host that was reached. */
export interface Reached {
  readonly host: RemoteHost;
  readonly bring: DataBringer;
}

/** A host with how many runs train there by us. */
export interface Place {
  readonly name: string;
  busy: number;
  /** Connects with the host, where that was not done. */
  readonly reach: () => Promise<Reached>;
  /** Does something with the host, and remembers whether it was out of reach. */
  readonly use: <Result>(work: (reached: Reached) => Promise<Result>) => Promise<Result>;
  /** Whether it was out of reach when it was last used. */
  readonly isAway: () => boolean;
  /** Whether it is worth to be tried: in reach, or out of it for a while. */
  readonly isUsable: () => boolean;
  readonly close: () => Promise<void>;
}

export interface Places {
  readonly all: readonly Place[];
  /** One of these, or one more, that an earlier start used. */
  readonly named: (name: string) => Place;
  /** The one where the fewest runs train of those that can be used; of all where none can. */
  readonly freest: () => Place;
  /** Whether another one than `place` is in reach. */
  readonly hasOther: (place: Place) => boolean;
  readonly close: () => Promise<void>;
}

/** How often a host that is out of reach is tried again where others are not, in looks. */
const looksUntilUsed = 30;

/** Names hosts; each is connected with when it is first used. */
export function createPlaces(
  names: readonly string[],
  connect: (name: string) => Promise<RemoteHost>,
  say: (line: string) => void,
): Places {
  const open = (name: string) => createPlace(name, connect, say);
  const all = names.map(open);
  const others = new Map<string, Place>();
  const freestOf = (places: readonly Place[]) =>
    places.reduce((freest, each) => (each.busy < freest.busy ? each : freest));
  return {
    all,
    named: (name) => {
      const place = all.find((each) => each.name === name) ?? others.get(name) ?? open(name);
      if (!all.includes(place)) others.set(name, place);
      return place;
    },
    freest: () => {
      const usable = all.filter((place) => place.isUsable());
      return freestOf(usable.length > 0 ? usable : all);
    },
    hasOther: (place) => all.some((each) => each !== place && !each.isAway()),
    close: async () => {
      for (const place of [...all, ...others.values()]) await place.close();
    },
  };
}

function createPlace(name: string, connect: (name: string) => Promise<RemoteHost>, say: (line: string) => void): Place {
  let reached: Promise<Reached> | undefined;
  let awaySince: number | undefined;
  const noting = async <Result>(work: Promise<Result>): Promise<Result> => {
    try {
      const result = await work;
      awaySince = undefined;
      return result;
    } catch (error) {
      if (isConnectionLost(error)) awaySince = performance.now();
      throw error;
    }
  };
  const begin = async (): Promise<Reached> => {
    const host = withFewTalks(await connect(name));
    return { host, bring: createBringer(host, say) };
  };
  const reach = () => {
    reached ??= noting(begin()).catch((error: unknown) => {
      // It may be tried again.
      reached = undefined;
      throw error;
    });
    return reached;
  };
  return {
    name,
    busy: 0,
    reach,
    use: async (work) => {
      const there = await reach();
      return noting(work(there));
    },
    isAway: () => awaySince !== undefined,
    isUsable: () => awaySince === undefined || performance.now() - awaySince >= looksUntilUsed * lookInterval(),
    close: async () => {
      await reached?.then(
        ({ host }) => host.close(),
        () => undefined,
      );
    },
  };
}
