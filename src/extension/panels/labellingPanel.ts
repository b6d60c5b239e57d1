import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import { userError } from '../../protocol/errors.ts';
import type { Labelling } from '../../protocol/labelling.ts';
import {
  labellingPanelToHostSchema,
  type LabellingPanelToHost,
  type LabellingPanelToPage,
} from '../../protocol/labellingPanel.ts';
import { classifierSourceSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { actOnFeatures, type FeatureControls } from './actOnFeatures.ts';
import { addImages, addPicture } from './addImages.ts';
import { createEditingSession, type EditingSession } from './editingSession.ts';
import { featuresOnOffer, firstFeatures, rememberFeatures } from './featureSources.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { localFiles } from './localFiles.ts';
import { createPanelMemory, type PanelMemory } from './panelMemory.ts';
import { chooseImages } from './predictionMessages.ts';
import { watchSettled } from './watchSettled.ts';

type LabellingParts = Pick<Parts, 'log' | 'service' | 'runs'>;

const shownSchema = z.object({
  data: z.string(),
  unlabelled: z.string(),
  source: classifierSourceSchema.optional(),
});
type Shown = z.infer<typeof shownSchema>;

export interface LabellingPanels {
  /** See `Panels.labelImages`. */
  readonly show: (data: string, unlabelled: string) => void;
  dispose(): void;
}

interface Surroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: LabellingParts;
  readonly memory: PanelMemory<Shown>;
}

/** Panels that label images, one for each data folder and folder without labels. */
export function registerLabellingPanels(context: vscode.ExtensionContext, parts: LabellingParts): LabellingPanels {
  const { log } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  const panels = createKeyedPanels<Shown, true>({
    page: 'labelling',
    memory,
    keyOf: ({ data, unlabelled }) => JSON.stringify([data, unlabelled]),
    titleOf: ({ unlabelled }) => l10n.t('Label {0}', basename(unlabelled)),
    fill: (panel, id, shown) => {
      fillPanel(panel, id, shown, { context, parts, memory });
      return true;
    },
  });
  return {
    show: (data, unlabelled) =>
      void panels.open({ data, unlabelled }).catch((error: unknown) => showFailure(error, log)),
    dispose: panels.dispose,
  };
}

/** Puts the page into a panel and looks at the images, by the features that were looked at last where there are any. */
function fillPanel(panel: vscode.WebviewPanel, id: string, shown: Shown, around: Surroundings): void {
  const { context, parts, memory } = around;
  const { log, runs, service } = parts;
  const { data, unlabelled } = shown;
  let { source } = shown;
  let began = false;
  let lastAction = 0;
  /** Images that were added here, the last ones first. */
  let added: readonly string[] = [];
  const connection = hostPage<LabellingPanelToPage, LabellingPanelToHost>(panel, context, {
    name: 'labelling',
    panelId: id,
    log,
    schema: labellingPanelToHostSchema,
    replay: () => {
      connection.post(offers());
      session.replay();
      if (!began) void begin().catch((error: unknown) => showFailure(error, log));
    },
    receive: (message) => {
      const cancel = () => session.cancel();
      const controls = { session, unlabelled, add, fileOf: String, use, look, cancel, post: connection.post };
      void obey(message, controls, parts).catch((error: unknown) => showFailure(error, log));
    },
  });
  const offers = () => ({ ...featuresOnOffer(data, source, runs.runs), unlabelled });
  const session = createEditingSession<Labelling>(
    async (action, { signal, moreWait, onAnswer, onFigures }) => {
      if (!source) throw userError(l10n.t('Choose a network first; its features judge the images.'));
      requireTrust('checkingData');
      const { engine, device } = readSettings();
      const layout = runs.runs.find(({ record }) => record.config.data === data)?.record.config.layout ?? 'auto';
      const where = { data, unlabelled, source, layout, engine, device };
      const request = { type: 'label' as const, ...where, action, first: [...added], figures: !moreWait };
      await service
        .request(request, {
          signal,
          onAnswer: (answer) => {
            if (answer.type === 'labelling') onFigures(answer.labelling);
            else onAnswer(answer);
          },
        })
        .finally(() => (lastAction = Date.now()));
    },
    {
      progress: (progress) => connection.post(progress),
      figures: (labelling, isAnswer) =>
        connection.post({ type: 'labelling', ...(labelling ? { labelling } : {}), isAnswer }),
      error: (message, isAnswer) => connection.post({ type: 'error', message, isAnswer }),
    },
  );
  const look = () => session.act({ kind: 'look' }, 'user');
  const use = async (next: ClassifierSource) => {
    source = next;
    memory.remember(id, { data, unlabelled, source });
    await rememberFeatures(next, context.workspaceState);
    connection.post(offers());
    session.stopLooking();
    await look();
  };
  const add = async (images: readonly string[]) => {
    added = [...images, ...added];
    if (images.length > 0) await look();
  };
  const begin = async () => {
    began = true;
    const first = await firstFeatures(source, context.workspaceState, parts);
    if (first) await use(first);
  };
  const onChange = () => session.figures && void session.act({ kind: 'look' }, 'watcher');
  const watcher = watchSettled([data, unlabelled], () => lastAction, onChange);
  panel.onDidDispose(() => {
    watcher.dispose();
    session.stopLooking();
    memory.forget(id);
  });
  memory.remember(id, { data, unlabelled, ...(source ? { source } : {}) });
}

interface Controls extends FeatureControls {
  readonly session: EditingSession<Labelling>;
  readonly unlabelled: string;
  /** Has images come first that were added to the folder. */
  readonly add: (images: readonly string[]) => Promise<void>;
}

async function obey(
  message: Exclude<LabellingPanelToHost, { type: 'ready' }>,
  controls: Controls,
  parts: LabellingParts,
): Promise<void> {
  const { session, unlabelled, add } = controls;
  switch (message.type) {
    case 'edit':
      return session.act({ kind: 'edit', edit: message.edit }, 'page');
    case 'undo':
    case 'redo':
      return session.act({ kind: message.type }, 'page');
    case 'dropped':
      return add(await addImages(unlabelled, localFiles(message.uris)));
    case 'given':
      return add([await addPicture(unlabelled, message.name, message.content)]);
    case 'chooseImages':
      return add(await addImages(unlabelled, await chooseImages(l10n.t('Choose images to label'), l10n.t('Add'))));
    default:
      return actOnFeatures(message, controls, parts);
  }
}
