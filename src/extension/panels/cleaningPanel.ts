import { basename, join } from 'node:path';
import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import type { Cleaning } from '../../protocol/cleaning.ts';
import {
  cleaningPanelToHostSchema,
  type CleaningPanelToHost,
  type CleaningPanelToPage,
} from '../../protocol/cleaningPanel.ts';
import { classifierSourceSchema } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import { askMergedClasses, askOtherClass, askRenamedClass } from './askClass.ts';
import { createEditingPanel, type EditedData, type EditingPanel, type EditingParts } from './editingPanel.ts';
import { hostPage } from './hostPage.ts';
import { createKeyedPanels } from './keyedPanels.ts';
import { createPanelMemory, type PanelMemory } from './panelMemory.ts';

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
  readonly parts: EditingParts;
  readonly memory: PanelMemory<Shown>;
}

/** Panels that clean data, one a folder. */
export function registerCleaningPanels(context: vscode.ExtensionContext, parts: EditingParts): CleaningPanels {
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

/** Puts the page into a panel and looks at the data. Returns what shows other images that were chosen. */
function fillPanel(panel: vscode.WebviewPanel, id: string, { data, source }: Shown, around: Surroundings): OpenPanel {
  const { context, parts, memory } = around;
  const { log, service } = parts;
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
      editing.replay();
      tellChosen();
    },
    receive: (message) => void obey(message, editing).catch((error: unknown) => showFailure(error, log)),
  });
  const edited: EditedData<Cleaning> = {
    ...{ data, source, watched: [data] },
    remember: (next) => memory.remember(id, { data, ...(next ? { source: next } : {}) }),
    forget: () => memory.forget(id),
    fileOf: (image) => join(data, image),
    work: (action, place, { signal, onAnswer, onFigures }) =>
      service.request(
        { type: 'clean', ...place, action, chosen: [...chosen.images] },
        {
          signal,
          onAnswer: (answer) => (answer.type === 'cleaning' ? onFigures(answer.cleaning) : onAnswer(answer)),
        },
      ),
    offer: connection.post,
    post: connection.post,
  };
  const editing = createEditingPanel(panel, edited, context, parts);
  return {
    choose: (images) => {
      chosen = { images, time: Date.now() };
      tellChosen();
      void editing.lookAgain();
    },
  };
}

async function obey(
  message: Exclude<CleaningPanelToHost, { type: 'ready' }>,
  { session, obey: obeyAsAll }: EditingPanel<Cleaning>,
): Promise<void> {
  const classes = session.figures?.classes ?? [];
  switch (message.type) {
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
      return obeyAsAll(message);
  }
}
