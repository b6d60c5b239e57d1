import '../components/withoutEval.ts';
import '../components/configureTexts.ts';
import '../components/page.css';
import '../components/sections.css';
import './dryRun.css';
import { dryRunPanelToPageSchema, type DryRunPanelToHost } from '../../protocol/dryRunPanel.ts';
import { rootElement } from '../components/element.ts';
import { keptState, listen, post } from '../components/host.ts';
import { dryRunView } from './dryRunView.ts';
import { dryRunPageStateSchema } from './pageState.ts';

const send = (message: DryRunPanelToHost): void => post(message);
const receive = dryRunView({ root: rootElement(), state: keptState(dryRunPageStateSchema), send });

listen(dryRunPanelToPageSchema, receive);
send({ type: 'ready' });
