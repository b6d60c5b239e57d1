import '../components/withoutEval.ts';
import './serving.css';
import { rootElement } from '../components/element.ts';
import { askServer } from './askServer.ts';
import { servingView } from './servingView.ts';

servingView({ root: rootElement(), needsToken: document.body.dataset['token'] === 'needed', ask: askServer });
