import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import '../components/featurePage.css';
import '../components/gallery.css';
import './labelling.css';
import { labellingPanelToPageSchema, type LabellingPanelToHost } from '../../protocol/labellingPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { labellingView } from './labellingView.ts';
import { labellingPageStateSchema } from './pageState.ts';

const send = (message: LabellingPanelToHost): void => post(message);
const receive = labellingView({ root: rootElement(), state: keptState(labellingPageStateSchema), send });

listen(labellingPanelToPageSchema, receive);
send({ type: 'ready' });
