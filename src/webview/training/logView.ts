import * as l10n from '@vscode/l10n';
import { relativeTo, type RunLogLine } from '../../protocol/runLog.ts';
import { element } from '../components/element.ts';
import { clock } from '../../charts/format.ts';
import type { RunCurves } from '../../charts/runCurves.ts';

export type LogView = { element: HTMLElement; show: (folder: string, curves: RunCurves) => void };

const signs: Record<RunLogLine['level'], string> = {
  info: '',
  warning: l10n.t('⚠ warning: '),
  error: l10n.t('✖ error: '),
};

/** A run's log. It follows the last line while the reader is at the end. */
export function logView(): LogView {
  const lines = element('ol', { class: 'log', tabindex: 0, role: 'log', 'aria-label': l10n.t('Log of the run') });
  let shown = { folder: '', lines: 0 };
  return {
    element: element('section', { 'aria-label': l10n.t('Log') }, [element('h2', {}, [l10n.t('Log')]), lines]),
    show: (folder, curves) => {
      const total = curves.logForgotten + curves.log.length;
      const known = shown.folder === folder && shown.lines <= total;
      const fresh = known ? Math.min(total - shown.lines, curves.log.length) : curves.log.length;
      if (known && fresh === 0) return;
      const atEnd = !known || lines.scrollTop + lines.clientHeight >= lines.scrollHeight - 8;
      if (!known) lines.replaceChildren();
      lines.append(...(fresh === 0 ? [] : curves.log.slice(-fresh).map((line) => logLine(line, folder))));
      while (lines.childElementCount > curves.log.length) lines.firstElementChild?.remove();
      shown = { folder, lines: total };
      if (atEnd) lines.scrollTop = lines.scrollHeight;
    },
  };
}

function logLine({ time, level, message }: RunLogLine, folder: string): HTMLElement {
  return element('li', { class: `log-${level}` }, [
    element('time', { datetime: time }, [clock(time)]),
    element('span', {}, [`${signs[level]}${relativeTo(folder, message)}`]),
  ]);
}
