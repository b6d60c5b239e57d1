import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import {
  cleaningPanelToHostSchema,
  type CleaningPanelToHost,
  type CleaningPanelToPage,
} from '../../protocol/cleaningPanel.ts';
import { classifierSourceSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { userError } from '../../protocol/errors.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { watchSettled } from './watchSettled.ts';
import { actOnFeatures, type FeatureControls } from './actOnFeatures.ts';
import { askMergedClasses, askOtherClass, askRenamedClass } from './askClass.ts';
import { type CleaningSession, createCleaningSession } from './cleaningSession.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { featuresOnOffer, firstFeatures, rememberFeatures } from './featureSources.ts';
import { createPanelMemory, type PanelMemory } from './panelMemory.ts';

type CleaningParts = Pick<Parts, 'log' | 'service' | 'runs'>;

const shownSchema = z.object({ data: z.string(), source: classifierSourceSchema.optional() });
type Shown = z.infer<typeof shownSchema>;

export interface CleaningPanels {
  /** See `Panels.cleanData`. */
  readonly show: (data: string, chosen?: readonly string[]) => void;
  dispose(): void;
}

interface OpenPanel {
  /** Shows these images, by their paths in the data folder. */
  readonly choose: (images: readonly string[]) => void;
}

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: CleaningParts;
  readonly memory: PanelMemory<Shown>;
}

/** Panels that clean data, one a folder. */
export function registerCleaningPanels(context: vscode.ExtensionContext, parts: CleaningParts): CleaningPanels {
  const { log } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  const panels = createKeyedPanels<Shown, OpenPanel>({
    page: 'cleaning',
    memory,
    keyOf: ({ data }) => data,
    titleOf: ({ data }) => l10n.t('Clean {0}', basename(data)),
    fill: (panel, id, shown) => fillPanel(panel, id, shown, { context, parts, memory }),
  });
  const show = async (data: string, chosen: readonly string[] | undefined): Promise<void> => {
    const { own } = await panels.open({ data });
    if (chosen) own.choose(chosen);
  };
  return {
    show: (data, chosen) => void show(data, chosen).catch((error: unknown) => showFailure(error, log)),
    dispose: panels.dispose,
  };
}

/**
 * Puts the page into a panel and looks at the data, by the features that were looked at last where there are any. Returns
 * what shows other images that were chosen.
 */
function fillPanel(
  panel: vscode.WebviewPanel,
  id: string,
  { data, source: known }: Shown,
  around: Surroundings,
): OpenPanel {
  const { context, parts, memory } = around;
  const { log, runs, service } = parts;
  let source = known;
  let began = false;
  let lastAction = 0;
  let chosen: { readonly images: readonly string[]; readonly time: number } = { images: [], time: Date.now() };
  const tellChosen = () => {
    if (chosen.images.length > 0) connection.post({ type: 'chosen', time: chosen.time });
  };
  const connection = hostPage<CleaningPanelToPage, CleaningPanelToHost>(panel, context, {
    name: 'cleaning',
    panelId: id,
    log,
    schema: cleaningPanelToHostSchema,
    replay: () => {
      connection.post(featuresOnOffer(data, source, runs.runs));
      tellChosen();
      session.replay();
      if (!began) void begin().catch((error: unknown) => showFailure(error, log));
    },
    receive: (message) => {
      const cancel = () => session.cancel();
      const fileOf = (image: string) => join(data, image);
      const controls = { session, fileOf, use, look, cancel, post: connection.post };
      void obey(message, controls, parts).catch((error: unknown) => showFailure(error, log));
    },
  });
  const session = createCleaningSession(async (action, call) => {
    if (!source) throw userError(l10n.t('Choose a network first; its features judge the images.'));
    requireTrust('checkingData');
    const { engine, device } = readSettings();
    const layout = runs.runs.find(({ record }) => record.config.data === data)?.record.config.layout ?? 'auto';
    await service
      .request({ type: 'clean', data, source, action, chosen: [...chosen.images], layout, engine, device }, call)
      .finally(() => (lastAction = Date.now()));
  }, connection.post);
  const look = () => session.act({ kind: 'look' }, 'user');
  const use = async (next: ClassifierSource) => {
    source = next;
    memory.remember(id, { data, source });
    await rememberFeatures(next, context.workspaceState);
    connection.post(featuresOnOffer(data, source, runs.runs));
    session.stopLooking();
    await look();
  };
  const begin = async () => {
    began = true;
    const first = await firstFeatures(source, context.workspaceState, parts);
    if (first) await use(first);
  };
  const watcher = watchSettled([data], () => lastAction, () => {
    if (session.figures) void session.act({ kind: 'look' }, 'watcher');
  }); // prettier-ignore
  panel.onDidDispose(() => {
    watcher.dispose();
    session.stopLooking();
    memory.forget(id);
  });
  memory.remember(id, { data, ...(source ? { source } : {}) });
  return {
    choose: (images) => {
      chosen = { images, time: Date.now() };
      tellChosen();
      // Before the page is there, it looks as it begins.
      if (source && began) void look();
    },
  };
}

interface Controls extends FeatureControls {
  readonly session: CleaningSession;
}

async function obey(
  message: Exclude<CleaningPanelToHost, { type: 'ready' }>,
  controls: Controls,
  parts: CleaningParts,
): Promise<void> {
  const { session } = controls;
  const classes = session.figures?.classes ?? [];
  switch (message.type) {
    case 'edit':
      return session.act({ kind: 'edit', edit: message.edit }, 'page');
    case 'undo':
    case 'redo':
      return session.act({ kind: message.type }, 'page');
    case 'otherClass': {
      const to = await askOtherClass(classes);
      if (to !== undefined)
        await session.act({ kind: 'edit', edit: { kind: 'move', images: [message.image], to } }, 'user');
      return;
    }
    case 'renameClass':
    case 'mergeClass': {
      const edit = await (message.type === 'renameClass' ? askRenamedClass(classes) : askMergedClasses(classes));
      if (edit) await session.act({ kind: 'edit', edit }, 'user');
      return;
    }
    default:
      return actOnFeatures(message, controls, parts);
  }
}
