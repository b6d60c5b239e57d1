import type * as vscode from 'vscode';
import { networkId } from '../../protocol/networkName.ts';
import type { GivenConfig } from '../../protocol/trainingConfig.ts';
import { isAway } from './elsewhere.ts';
import type { LiveRuns } from './liveRuns.ts';
import type { RunStore } from './runStore.ts';

/** What a run's speed depends on, besides the machine: without augmentation, what frozen layers make of an image is kept. */
export type SpeedOf = Pick<
  GivenConfig,
  'network' | 'method' | 'imageSize' | 'frozenPrecision' | 'engine' | 'device' | 'augment'
> & { readonly featureViews?: number | undefined };

/** How fast this machine trained, by what it trained. */
export interface SpeedMemory {
  /** Images per second when something like it was last trained here; undefined if it never was. */
  readonly imagesPerSecond: (config: SpeedOf) => number | undefined;
  readonly dispose: () => void;
}

const key = 'imagesPerSecond';
/** Kinds of runs that are remembered, the last ones. */
const most = 200;

/** Remembers in `memory` how fast each run was that has ended here. */
export function createSpeedMemory(
  memory: Pick<vscode.Memento, 'get' | 'update'>,
  live: Pick<LiveRuns, 'all' | 'onDidChange' | 'onDidEnd'>,
  runs: Pick<RunStore, 'get'>,
): SpeedMemory {
  const last = new Map<string, number>();
  const kept = () => memory.get<Record<string, number>>(key, {});
  const listeners = [
    live.onDidChange(() => {
      for (const { folder, step } of live.all()) {
        const run = runs.get(folder);
        const isHere = run !== undefined && !isAway(run);
        if (step && isHere) last.set(folder, step.imagesPerSecond);
      }
    }),
    live.onDidEnd(({ folder, record }) => {
      const speed = last.get(folder);
      last.delete(folder);
      if (speed === undefined) return;
      const name = nameOf(record.config);
      const others = Object.entries(kept()).filter(([other]) => other !== name);
      void memory.update(key, Object.fromEntries([...others, [name, speed]].slice(-most)));
    }),
  ];
  return {
    imagesPerSecond: (config) => kept()[nameOf(config)],
    dispose: () => {
      for (const listener of listeners) listener.dispose();
    },
  };
}

function nameOf(config: SpeedOf): string {
  const { network, method, imageSize, frozenPrecision, engine, device, augment, featureViews = 0 } = config;
  const parts = [networkId(network), method, imageSize, frozenPrecision, engine, device, featureViews, augment];
  return JSON.stringify(parts);
}
