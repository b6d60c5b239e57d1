import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import '../components/featurePage.css';
import './featureMap.css';
import { featureMapPanelToPageSchema, type FeatureMapPanelToHost } from '../../protocol/featureMapPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { featureMapView } from './featureMapView.ts';
import { featureMapPageStateSchema } from './pageState.ts';

const send = (message: FeatureMapPanelToHost): void => post(message);
const receive = featureMapView({ root: rootElement(), state: keptState(featureMapPageStateSchema), send });

listen(featureMapPanelToPageSchema, receive);
send({ type: 'ready' });
