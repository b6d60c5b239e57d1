import type { EditingPanelToHost, EditingPanelToPage } from '../../protocol/editingPanel.ts';
import type { FeatureSources } from '../../protocol/featurePanel.ts';
import { editedData, type EditedData, type EditedFigures } from './editedData.ts';
import { featurePage, type FeaturePage } from './featurePage.ts';
import { onUndoKeys } from './undoKeys.ts';

/** What the pages share that edit data by a network's features. */
export type EditingPage<Figures, Sources extends FeatureSources> = {
  readonly page: FeaturePage<Sources>;
  readonly data: EditedData<Figures>;
  /** Takes what the host says; whether there is something to be drawn. */
  told: (message: EditingPanelToPage<Figures> | Sources) => boolean;
};

/** Also takes the keys for *Undo* and *Redo*. */
export function editingPage<Figures extends EditedFigures, Sources extends FeatureSources>(
  send: (message: EditingPanelToHost) => void,
): EditingPage<Figures, Sources> {
  const page = featurePage<Sources>(send);
  const data = editedData<Figures>(send);
  onUndoKeys(data.undo, data.redo);
  return {
    page,
    data,
    told: (message) => {
      switch (message.type) {
        case 'figures':
          data.told(message.figures, message.isAnswer);
          page.problem = undefined;
          return true;
        case 'error':
          data.told(undefined, message.isAnswer);
          page.problem = message.message;
          return true;
        default:
          return page.told(message);
      }
    },
  };
}
