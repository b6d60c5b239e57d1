import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import './evaluation.css';
import { evaluationPanelToPageSchema, type EvaluationPanelToHost } from '../../protocol/evaluationPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { evaluationView } from './evaluationView.ts';
import { evaluationPageStateSchema } from './pageState.ts';

const send = (message: EvaluationPanelToHost): void => post(message);
const receive = evaluationView({ root: rootElement(), state: keptState(evaluationPageStateSchema), send });

listen(evaluationPanelToPageSchema, receive);
send({ type: 'ready' });
