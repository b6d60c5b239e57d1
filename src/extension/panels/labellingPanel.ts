import { basename } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { Labelling } from '../../protocol/labelling.ts';
import {
  labellingPanelToHostSchema,
  type LabellingPanelToHost,
  type LabellingPanelToPage,
} from '../../protocol/labellingPanel.ts';
import { classifierSourceSchema } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import { addImages, addPicture } from './addImages.ts';
import { createEditingPanel, type EditedData, type EditingPanel, type EditingParts } from './editingPanel.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { localFiles } from './localFiles.ts';
import { createPanelMemory, type PanelMemory } from './panelMemory.ts';
import { chooseImages } from './predictionMessages.ts';

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
  readonly parts: EditingParts;
  readonly memory: PanelMemory<Shown>;
}

/** Panels that label images, one for each data folder and folder without labels. */
export function registerLabellingPanels(context: vscode.ExtensionContext, parts: EditingParts): LabellingPanels {
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

/** Puts the page into a panel and looks at the images. */
function fillPanel(panel: vscode.WebviewPanel, id: string, shown: Shown, around: Surroundings): void {
  const { context, parts, memory } = around;
  const { log, service } = parts;
  const { data, unlabelled, source } = shown;
  /** Images that were added here, the last ones first. */
  let added: readonly string[] = [];
  const connection = hostPage<LabellingPanelToPage, LabellingPanelToHost>(panel, context, {
    name: 'labelling',
    panelId: id,
    log,
    schema: labellingPanelToHostSchema,
    replay: () => editing.replay(),
    receive: (message) => void obey(message, controls).catch((error: unknown) => showFailure(error, log)),
  });
  const edited: EditedData<Labelling> = {
    ...{ data, source, watched: [data, unlabelled] },
    remember: (next) => memory.remember(id, { data, unlabelled, ...(next ? { source: next } : {}) }),
    forget: () => memory.forget(id),
    fileOf: String,
    work: (action, place, { signal, moreWait, onAnswer, onFigures }) =>
      service.request(
        { type: 'label', ...place, unlabelled, action, first: [...added], figures: !moreWait },
        {
          signal,
          onAnswer: (answer) => (answer.type === 'labelling' ? onFigures(answer.labelling) : onAnswer(answer)),
        },
      ),
    offer: (sources) => connection.post({ ...sources, unlabelled }),
    post: connection.post,
  };
  const editing = createEditingPanel(panel, edited, context, parts);
  const add = async (images: readonly string[]) => {
    added = [...images, ...added];
    if (images.length > 0) await editing.look();
  };
  const controls = { editing, unlabelled, add };
}

interface Controls {
  readonly editing: EditingPanel<Labelling>;
  readonly unlabelled: string;
  /** Has images come first that were added to the folder. */
  readonly add: (images: readonly string[]) => Promise<void>;
}

async function obey(
  message: Exclude<LabellingPanelToHost, { type: 'ready' }>,
  { editing, unlabelled, add }: Controls,
): Promise<void> {
  switch (message.type) {
    case 'dropped':
      return add(await addImages(unlabelled, localFiles(message.uris)));
    case 'given':
      return add([await addPicture(unlabelled, message.name, message.content)]);
    case 'chooseImages':
      return add(await addImages(unlabelled, await chooseImages(l10n.t('Choose images to label'), l10n.t('Add'))));
    default:
      return editing.obey(message);
  }
}
