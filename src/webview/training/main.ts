import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import './training.css';
import {
  trainingPanelToPageSchema,
  type TrainingPanelToHost,
  type TrainingPanelToPage,
} from '../../protocol/trainingPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { keepScroll } from '../components/keepScroll.ts';
import { pictureStore } from '../components/pictures.ts';
import { onThemeChange } from '../components/themeColors.ts';
import { trainingPageStateSchema } from './pageState.ts';
import { runCollection } from './runCollection.ts';
import { trainingView } from './trainingView.ts';

const thumbnailSize = 192;

const send = (message: TrainingPanelToHost): void => post(message);
const state = keptState(trainingPageStateSchema);
const runs = runCollection();
const pictures = pictureStore((image) => send({ type: 'picture', image, size: thumbnailSize }));
const view = trainingView({ root: rootElement(), runs, state, pictures, send });

function receive(message: TrainingPanelToPage): void {
  switch (message.type) {
    case 'runs':
      runs.show(message.shown, message.others);
      break;
    case 'events':
      // Events that do not follow what is here: the host replays all.
      if (!runs.add(message.folder, message.from, message.events)) send({ type: 'ready' });
      break;
    case 'comparison':
    case 'progress':
    case 'error':
      view.compared(message);
      return;
    case 'picture':
      pictures.arrived(message.image, message.picture);
      return;
  }
  view.refresh();
}

listen(trainingPanelToPageSchema, receive);
onThemeChange(view.restyle);
keepScroll({ kept: state.value.scroll, keep: (scroll) => state.change({ scroll }) });
view.refresh();
send({ type: 'ready' });
