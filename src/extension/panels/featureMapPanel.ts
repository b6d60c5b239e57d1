import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { FeatureMap } from '../../protocol/featureMap.ts';
import {
  featureMapPanelToHostSchema,
  type FeatureMapPanelToHost,
  type FeatureMapPanelToPage,
} from '../../protocol/featureMapPanel.ts';
import { userError } from '../../protocol/errors.ts';
import { classifierSourceSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Panels, Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { answerOf } from '../service/answerOf.ts';
import { readSettings } from '../settings.ts';
import { actOnFeatures } from './actOnFeatures.ts';
import type { CleaningPanels } from './cleaningPanel.ts';
import { createFeatureMapSession, type FeatureMapSession, type FeatureMapSource } from './featureMapSession.ts';
import { featuresOnOffer, firstFeatures, rememberFeatures } from './featureSources.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { mapTests } from './mapTests.ts';
import { createPanelMemory, type PanelMemory } from './panelMemory.ts';
import { watchSettled } from './watchSettled.ts';

type MapParts = Pick<Parts, 'log' | 'service' | 'runs'>;

const shownSchema = z.object({ map: z.string(), source: classifierSourceSchema.optional() });
/** `map` is the data folder. */
type Shown = z.infer<typeof shownSchema>;

export interface FeatureMapPanels {
  readonly show: Panels['showFeatureMap'];
  dispose(): void;
}

interface OpenPanel {
  readonly use: (source: ClassifierSource) => Promise<void>;
}

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: MapParts;
  readonly memory: PanelMemory<Shown>;
  readonly clean: CleaningPanels['show'];
}

/** Panels with maps, one a data folder; `clean` opens *Clean Data*. */
export function registerFeatureMapPanels(
  context: vscode.ExtensionContext,
  parts: MapParts,
  clean: CleaningPanels['show'],
): FeatureMapPanels {
  const { log } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  const panels = createKeyedPanels<Shown, OpenPanel>({
    page: 'featureMap',
    memory,
    keyOf: ({ map }) => map,
    titleOf: ({ map }) => l10n.t('Feature Map of {0}', basename(map)),
    fill: (panel, id, shown) => ({ use: fillPanel(panel, id, shown, { context, parts, memory, clean }) }),
  });
  const show = async (map: string, source: ClassifierSource | undefined): Promise<void> => {
    const { own, isNew } = await panels.open({ map, ...(source ? { source } : {}) });
    if (source && !isNew) await own.use(source);
  };
  return {
    show: (data, source) => void show(data, source).catch((error: unknown) => showFailure(error, log)),
    dispose: panels.dispose,
  };
}

/** Puts the page into a panel and draws the map; returns what draws it by other features. */
function fillPanel(
  panel: vscode.WebviewPanel,
  id: string,
  { map: data, source: known }: Shown,
  around: Surroundings,
): OpenPanel['use'] {
  const { context, parts, memory, clean } = around;
  const { log, runs } = parts;
  let source = known;
  let began = false;
  const fail = (error: unknown) => showFailure(error, log);
  const connection = hostPage<FeatureMapPanelToPage, FeatureMapPanelToHost>(panel, context, {
    name: 'featureMap',
    panelId: id,
    log,
    schema: featureMapPanelToHostSchema,
    replay: () => {
      connection.post(featuresOnOffer(data, source, runs.runs));
      session.replay();
      if (!began) void begin().catch(fail);
    },
    receive: (message) => void obey(message).catch(fail),
  });
  const session = createFeatureMapSession(
    {
      map: (call) => askForMap(data, source, parts, call),
      tests: () => mapTests(source, data, log),
    },
    connection.post,
  );
  const looks = looksAt(panel, session);
  async function use(next: ClassifierSource): Promise<void> {
    began = true;
    if (source && JSON.stringify(source) === JSON.stringify(next) && session.map) return;
    source = next;
    memory.remember(id, { map: data, source });
    await rememberFeatures(next, context.workspaceState);
    session.forget();
    connection.post(featuresOnOffer(data, source, runs.runs));
    await looks.look();
  }
  async function begin(): Promise<void> {
    began = true;
    const first = await firstFeatures(data, source, context.workspaceState, parts);
    if (first) await use(first);
  }
  const controls = {
    fileOf: (image: string) => image,
    use,
    look: looks.look,
    cancel: looks.cancel,
    post: connection.post,
  };
  async function obey(message: Exclude<FeatureMapPanelToHost, { type: 'ready' }>): Promise<void> {
    if (message.type === 'clean') clean(data, message.images);
    else if (message.type === 'reveal')
      await vscode.commands.executeCommand('revealInExplorer', vscode.Uri.file(message.image));
    else await actOnFeatures(message, controls, parts);
  }
  const watcher = watchSettled([data], looks.last, () => void looks.afterChange().catch(fail));
  const seen = panel.onDidChangeViewState(() => void looks.lookIfStale().catch(fail));
  const tested = runs.onDidChangeCheckpoints((run) => {
    if (session.map && source?.kind === 'checkpoint' && source.path.startsWith(run))
      void session.refreshTests().catch(fail);
  });
  panel.onDidDispose(() => {
    looks.close();
    for (const each of [watcher, seen, tested]) each.dispose();
    session.dispose();
    memory.forget(id);
  });
  memory.remember(id, { map: data, ...(source ? { source } : {}) });
  return use;
}

/** Looks at the folder for a panel, and again where it changes meanwhile. */
function looksAt(panel: vscode.WebviewPanel, session: FeatureMapSession) {
  /** `isStale`: the folder has changed while nobody could see it, or since a map was asked for that is not there yet. */
  const state = { isStale: false, isClosed: false, last: 0 };
  async function look(): Promise<void> {
    // Who was asked for a network may have closed the page since.
    if (state.isClosed) return;
    state.isStale = false;
    await session.look().finally(() => (state.last = Date.now()));
    await lookIfStale();
  }
  async function lookIfStale(): Promise<void> {
    if (state.isStale && !state.isClosed && !session.isRunning && panel.visible) await look();
  }
  return {
    look,
    lookIfStale,
    afterChange: async () => {
      if (!session.map && !session.isRunning) return;
      state.isStale = true;
      await lookIfStale();
    },
    cancel: () => {
      state.isStale = false;
      session.cancel();
    },
    /** When the last look ended. */
    last: () => state.last,
    close: () => {
      state.isClosed = true;
    },
  };
}

async function askForMap(
  data: string,
  source: ClassifierSource | undefined,
  { runs, service }: MapParts,
  call: Parameters<FeatureMapSource['map']>[0],
): Promise<FeatureMap> {
  if (!source) throw userError(l10n.t('Choose a network first; its features make the map.'));
  requireTrust('checkingData');
  const { engine, device } = readSettings();
  const layout = runs.runs.find(({ record }) => record.config.data === data)?.record.config.layout ?? 'auto';
  const request = { type: 'map', data, source, layout, engine, device } as const;
  const { map } = await answerOf(service, request, 'map', call);
  return map;
}
