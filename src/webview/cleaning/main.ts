import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import '../components/featurePage.css';
import '../components/gallery.css';
import { cleaningPanelToPageSchema, type CleaningPanelToHost } from '../../protocol/cleaningPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { cleaningView } from './cleaningView.ts';
import { cleaningPageStateSchema } from './pageState.ts';

const send = (message: CleaningPanelToHost): void => post(message);
const receive = cleaningView({ root: rootElement(), state: keptState(cleaningPageStateSchema), send });

listen(cleaningPanelToPageSchema, receive);
send({ type: 'ready' });
