import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import './prediction.css';
import { predictionPanelToPageSchema, type PredictionPanelToHost } from '../../protocol/predictionPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { predictionPageStateSchema } from './pageState.ts';
import { predictionView } from './predictionView.ts';

const send = (message: PredictionPanelToHost): void => post(message);
const receive = predictionView({ root: rootElement(), state: keptState(predictionPageStateSchema), send });

listen(predictionPanelToPageSchema, receive);
send({ type: 'ready' });
