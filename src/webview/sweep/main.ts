import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import '../components/sections.css';
import './sweep.css';
import { sweepPanelToPageSchema, type SweepPanelToHost } from '../../protocol/sweepPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { sweepPageStateSchema } from './pageState.ts';
import { sweepView } from './sweepView.ts';

const send = (message: SweepPanelToHost): void => post(message);
const receive = sweepView({ root: rootElement(), state: keptState(sweepPageStateSchema), send });

listen(sweepPanelToPageSchema, receive);
send({ type: 'ready' });
