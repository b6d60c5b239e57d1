import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import * as z from 'zod';
import {
  predictionPanelToHostSchema,
  type PredictionPanelToHost,
  type PredictionPanelToPage,
} from '../../protocol/predictionPanel.ts';
import { classifierSourceSchema, cropCountSchema, type ClassifierSource } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { chooseSource } from './chooseSource.ts';
import { closeDormantTabs } from './dormantTabs.ts';
import { createExplainer, type Explainer, type ExplanationRequest } from './explainer.ts';
import { createPanel, hostPage, viewType } from './hostPage.ts';
import { bestCheckpoints, likelyCheckpoint, offerOf, sourceExists } from './offeredSources.ts';
import { createPanelMemory, newPanelId, type PanelMemory } from './panelMemory.ts';
import { obeyPredictionPage } from './predictionMessages.ts';
import { createPredictionSession, topK, type Predict, type PredictionSession } from './predictionSession.ts';

type PredictionParts = Pick<Parts, 'log' | 'service' | 'runs'>;

/** Side of the thumbnails, in pixels: twice what the list shows, for fine screens. */
const thumbnailSize = 96;
/** Under which the source is kept that classified last. */
const lastSourceKey = 'lastClassifierSource';

const shownSchema = z.object({
  /** Images and folders. */
  images: z.array(z.string()),
  removed: z.array(z.string()).default([]),
  source: classifierSourceSchema.optional(),
  crops: cropCountSchema,
});
type Shown = z.infer<typeof shownSchema>;

export interface PredictionPanels {
  /** See `Panels.showPredictions`. */
  readonly show: (images: readonly string[], source?: ClassifierSource) => void;
  /** See `Panels.removeImage`. */
  readonly remove: (image: string) => void;
  /** See `Panels.classifyAgain`. */
  readonly classifyAgain: (source: ClassifierSource) => void;
  dispose(): void;
}

interface OpenPanel {
  readonly panel: vscode.WebviewPanel;
  readonly session: PredictionSession;
  readonly explainer: Explainer;
  readonly setUp: () => void;
  readonly use: (source: ClassifierSource) => void;
}

interface PanelSurroundings {
  readonly context: vscode.ExtensionContext;
  readonly parts: PredictionParts;
  readonly memory: PanelMemory<Shown>;
}

/** Puts the page into a panel, classifies what it shall show, and remembers that for as long as the panel is open. */
function fillPanel(
  panel: vscode.WebviewPanel,
  id: string,
  shown: Shown,
  { context, parts, memory }: PanelSurroundings,
): OpenPanel {
  const { log, runs } = parts;
  const connection = hostPage<PredictionPanelToPage, PredictionPanelToHost>(panel, context, {
    name: 'prediction',
    panelId: id,
    log,
    schema: predictionPanelToHostSchema,
    replay: () => {
      // A page that begins anew knows nothing of what was asked for.
      explainer.cancel();
      setUp();
      session.replay();
    },
    receive: (message) => {
      void obeyPredictionPage(message, { session, explainer, setUp, post: connection.post, use }, parts).catch(
        (error: unknown) => showFailure(error, log),
      );
    },
  });
  const session = createPredictionSession(predictor(parts), connection.post, () => setUp());
  const explainer = createExplainer(explanationRequest(parts), connection.post);
  const setUp = () => {
    const { paths, removed } = session;
    const { source, crops } = session.using;
    memory.remember(id, { images: [...paths], removed: [...removed], crops, ...(source ? { source } : {}) });
    connection.post(setupMessage(session.using, parts));
  };
  const use = (source: ClassifierSource) => {
    void context.workspaceState.update(lastSourceKey, source);
    explainer.cancel();
    session.use({ source });
    setUp();
  };
  const changed = runs.onDidChangeCheckpoints(setUp);
  panel.onDidDispose(() => {
    changed.dispose();
    session.dispose();
    explainer.cancel();
    memory.forget(id);
  });
  const { images, removed, crops, source } = shown;
  session.classify(images, { removed, crops, ...(source ? { source } : {}) });
  setUp();
  return { panel, session, explainer, setUp, use };
}

/** The prediction panel, of which there is one. */
export function registerPredictionPanel(context: vscode.ExtensionContext, parts: PredictionParts): PredictionPanels {
  const { log, runs } = parts;
  const memory = createPanelMemory<Shown>(context.workspaceState, shownSchema);
  let open: OpenPanel | undefined;

  function fill(panel: vscode.WebviewPanel, id: string, shown: Shown): void {
    const filled = fillPanel(panel, id, shown, { context, parts, memory });
    open = filled;
    panel.onDidDispose(() => {
      if (open === filled) open = undefined;
    });
  }

  function setUpOpen(): void {
    open?.setUp();
  }

  function lastSource(): ClassifierSource | undefined {
    const last = classifierSourceSchema.safeParse(context.workspaceState.get(lastSourceKey)).data;
    return last && sourceExists(last) ? last : likelyCheckpoint(runs.runs);
  }

  async function openWith(images: readonly string[], wanted?: ClassifierSource): Promise<void> {
    await runs.load();
    const source = wanted ?? open?.session.using.source ?? lastSource() ?? (await chooseSource(parts));
    if (wanted) await context.workspaceState.update(lastSourceKey, wanted);
    if (!open) await closeDormantTabs('prediction');
    if (!open) {
      const { crops } = readSettings();
      const shown: Shown = { images: [...images], removed: [], crops, ...(source ? { source } : {}) };
      fill(createPanel('prediction', l10n.t('Classification')), newPanelId(), shown);
      return;
    }
    const { session, explainer, panel, setUp } = open;
    explainer.cancel();
    session.classify(images, source ? { source } : {});
    setUp();
    panel.reveal();
  }

  const serializer = vscode.window.registerWebviewPanelSerializer(viewType('prediction'), {
    deserializeWebviewPanel: async (panel, state) => {
      const recalled = memory.recall(state);
      if (!recalled || open) {
        panel.dispose();
        return;
      }
      fill(panel, recalled.id, recalled.value);
      await runs.load();
      setUpOpen();
    },
  });
  return {
    show: (images, source) => void openWith(images, source).catch((error: unknown) => showFailure(error, log)),
    remove: (image) => {
      open?.session.remove(image);
      setUpOpen();
    },
    classifyAgain: (source) => open?.use(source),
    dispose: () => {
      serializer.dispose();
    },
  };
}

function predictor({ service }: PredictionParts): Predict {
  return async ({ images, source, crops, signal, onAnswer }) => {
    requireTrust('classifying');
    const { engine, device, precision } = readSettings();
    const wish = { images: [...images], source, crops, topK, thumbnail: thumbnailSize, precision, engine, device };
    await service.request({ type: 'predict', ...wish }, { onAnswer, signal });
  };
}

function explanationRequest({ service }: PredictionParts): (request: ExplanationRequest) => Promise<void> {
  return async ({ image, index, source, crops, signal, onAnswer }) => {
    requireTrust('classifying');
    const { engine, device } = readSettings();
    const wish = { image, source, crops, classIndex: index, engine, device };
    await service.request({ type: 'explain', ...wish }, { onAnswer, signal });
  };
}

/** The sources on offer: the one in use, and the best checkpoint of each run. */
function setupMessage(
  { source, crops, wholeImages }: PredictionSession['using'],
  { runs }: PredictionParts,
): PredictionPanelToPage {
  const offers = [...(source ? [source] : []), ...bestCheckpoints(runs.runs)].map((one) => offerOf(one, runs.runs));
  const byId = new Map(offers.map((offer) => [offer.id, offer]));
  const id = source ? JSON.stringify(source) : '';
  return { type: 'setup', sources: [...byId.values()], source: id, crops, wholeImages, topK };
}
