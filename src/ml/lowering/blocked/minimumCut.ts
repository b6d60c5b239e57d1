/** A network of places between which a flow has capacities; see `minimumCut`. */
export interface FlowNetwork {
  /** Adds a place and returns its number. 0 is the source, 1 the sink. */
  place(): number;
  /** Lets so much flow from one place to another. */
  connect(from: number, to: number, capacity: number): void;
  /** The places that a cheapest cut leaves on the source's side; as many as can be, if there are several. */
  sourceSide(): ReadonlySet<number>;
}

/** A flow network whose cheapest cut is found by Dinic's method (1970): shortest ways to the sink, all at once. */
export function createFlowNetwork(): FlowNetwork {
  const edges: { readonly to: number; left: number }[] = [];
  const out: number[][] = [[], []];
  const connect = (from: number, to: number, capacity: number) => {
    out[from]?.push(edges.length);
    edges.push({ to, left: capacity });
    out[to]?.push(edges.length);
    edges.push({ to: from, left: 0 });
  };

  /** Steps from the source to each place over edges with something left. */
  const levels = (): Int32Array => {
    const level = new Int32Array(out.length).fill(-1);
    level[0] = 0;
    const open = [0];
    // It grows while it is walked through.
    for (const place of open) {
      for (const edge of out[place] ?? []) {
        const { to, left } = edges[edge] ?? { to: 0, left: 0 };
        if (left <= 0 || level[to] !== -1) continue;
        level[to] = (level[place] ?? 0) + 1;
        open.push(to);
      }
    }
    return level;
  };

  /** Sends what it can along one shortest way; false if there is none. */
  const send = (level: Int32Array, next: Int32Array): boolean => {
    const way: number[] = [];
    for (let place = 0; place !== 1;) {
      const list = out[place] ?? [];
      const edge = list[next[place] ?? 0];
      if (edge === undefined) {
        // A dead end: back, and past the edge that led here.
        const last = way.pop();
        if (last === undefined) return false;
        place = edges[last ^ 1]?.to ?? 0;
        next[place] = (next[place] ?? 0) + 1;
        continue;
      }
      const { to, left } = edges[edge] ?? { to: 0, left: 0 };
      if (left > 0 && level[to] === (level[place] ?? 0) + 1) {
        way.push(edge);
        place = to;
      } else next[place] = (next[place] ?? 0) + 1;
    }
    const most = Math.min(...way.map((edge) => edges[edge]?.left ?? 0));
    for (const edge of way) {
      const [there, back] = [edges[edge], edges[edge ^ 1]];
      if (there && back) {
        there.left -= most;
        back.left += most;
      }
    }
    return true;
  };

  return {
    place: () => out.push([]) - 1,
    connect,
    sourceSide() {
      for (let level = levels(); level[1] !== -1; level = levels()) {
        const next = new Int32Array(out.length);
        while (send(level, next));
      }
      // What can still reach the sink is on its side.
      const sinkSide = new Set([1]);
      const open = [1];
      for (let place = open.pop(); place !== undefined; place = open.pop()) {
        for (const edge of out[place] ?? []) {
          const from = edges[edge]?.to ?? 0;
          if ((edges[edge ^ 1]?.left ?? 0) <= 0 || sinkSide.has(from)) continue;
          sinkSide.add(from);
          open.push(from);
        }
      }
      return new Set(out.map((_, place) => place).filter((place) => !sinkSide.has(place)));
    },
  };
}
