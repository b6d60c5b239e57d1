import * as l10n from '@vscode/l10n';
import * as vscode from 'vscode';
import type { CleaningAction } from '../../protocol/cleaning.ts';
import type { EditingPanelToHost, EditingPanelToPage } from '../../protocol/editingPanel.ts';
import { userError } from '../../protocol/errors.ts';
import type { FeatureSources } from '../../protocol/featurePanel.ts';
import type { ClassifierSource, ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { showFailure } from '../commands/registerCommand.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { readSettings } from '../settings.ts';
import { actOnFeatures } from './actOnFeatures.ts';
import { createEditingSession, type EditingCall, type EditingSession } from './editingSession.ts';
import { featuresOnOffer, firstFeatures, rememberFeatures } from './featureSources.ts';
import { watchSettled } from './watchSettled.ts';

export type EditingParts = Pick<Parts, 'log' | 'service' | 'runs'>;

/** What every request for figures of a data folder says. */
type EditingPlace = Pick<
  Extract<ServiceRequestBody, { type: 'clean' }>,
  'data' | 'source' | 'layout' | 'engine' | 'device'
>;

/** A data folder that a panel edits, and what of the panel is its own. */
export interface EditedData<Figures> {
  readonly data: string;
  /** Folders that are looked at again when something in them has changed. */
  readonly watched: readonly string[];
  /** The features that the panel used last. */
  readonly source: ClassifierSource | undefined;
  /** Keeps the features with what else the panel shows. */
  readonly remember: (source: ClassifierSource | undefined) => void;
  readonly forget: () => void;
  /** The file of an image that the page names. */
  readonly fileOf: (image: string) => string;
  /** Asks the service to do something, and for the figures then. */
  readonly work: (action: CleaningAction, place: EditingPlace, call: EditingCall<Figures>) => Promise<void>;
  readonly offer: (sources: FeatureSources) => void;
  readonly post: (message: EditingPanelToPage<Figures>) => void;
}

/** What the panels share that edit data by a network's features. */
export interface EditingPanel<Figures> {
  readonly session: EditingSession<Figures>;
  readonly look: () => Promise<void>;
  /** Looks anew, but not before the page is there, which looks as it begins. */
  readonly lookAgain: () => Promise<void>;
  /** Says everything to a page that begins anew, and has the first one begin. */
  readonly replay: () => void;
  readonly obey: (message: EditingPanelToHost) => Promise<void>;
}

/** Looks by the features that were looked at last, where there are any. Ends with the panel. */
export function createEditingPanel<Figures>(
  panel: vscode.WebviewPanel,
  edited: EditedData<Figures>,
  { workspaceState }: vscode.ExtensionContext,
  parts: EditingParts,
): EditingPanel<Figures> {
  const { data, watched, remember, forget, fileOf, work, offer, post } = edited;
  const { log, runs } = parts;
  let { source } = edited;
  let began = false;
  let lastAction = 0;
  const session = createEditingSession<Figures>(async (action, call) => {
    if (!source) throw userError(l10n.t('Choose a network first; its features judge the images.'));
    requireTrust('checkingData');
    const { engine, device } = readSettings();
    const layout = runs.runs.find(({ record }) => record.config.data === data)?.record.config.layout ?? 'auto';
    await work(action, { data, source, layout, engine, device }, call).finally(() => (lastAction = Date.now()));
  }, post);
  const look = () => session.act({ kind: 'look' }, 'user');
  const use = async (next: ClassifierSource) => {
    source = next;
    remember(source);
    await rememberFeatures(next, workspaceState);
    offer(featuresOnOffer(data, source, runs.runs));
    session.stopLooking();
    await look();
  };
  const begin = async () => {
    began = true;
    const first = await firstFeatures(data, source, workspaceState, parts);
    if (first) await use(first);
  };
  const watcher = watchSettled(watched, () => lastAction, () => {
    if (session.figures) void session.act({ kind: 'look' }, 'watcher');
  }); // prettier-ignore
  panel.onDidDispose(() => {
    watcher.dispose();
    session.stopLooking();
    forget();
  });
  remember(source);
  return {
    session,
    look,
    lookAgain: async () => {
      if (source && began) await look();
    },
    replay: () => {
      offer(featuresOnOffer(data, source, runs.runs));
      session.replay();
      if (!began) void begin().catch((error: unknown) => showFailure(error, log));
    },
    obey: async (message) => {
      switch (message.type) {
        case 'edit':
          return session.act({ kind: 'edit', edit: message.edit }, 'page');
        case 'undo':
        case 'redo':
          return session.act({ kind: message.type }, 'page');
        default:
          return actOnFeatures(message, { fileOf, use, look, cancel: () => session.cancel(), post }, parts);
      }
    },
  };
}
