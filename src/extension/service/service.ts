import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';
import type { Service } from '../parts.ts';
import { workerEnvironment } from '../workerEnvironment.ts';
import { createServiceProcess } from './serviceProcess.ts';
import type { Log } from '../log.ts';

/** Time without a request after which the service process ends, in milliseconds. */
const idleMilliseconds = 10 * 60_000;

/** The service process, which starts with the first request; what it logs goes to `log`. */
export function createService(context: vscode.ExtensionContext, log: Log): Service {
  const service = createServiceProcess({
    script: join(context.extensionUri.fsPath, 'dist', 'ml', 'service.mjs'),
    environment: () => workerEnvironment(context),
    onOutput: (line) => log.info(`service: ${line}`),
    idleMilliseconds,
  });
  const answered = new vscode.EventEmitter<ServiceAnswerBody>();
  const settings = vscode.workspace.onDidChangeConfiguration((event) => {
    const places = ['fivecrop.weightsFolder', 'fivecrop.weightsMirror'];
    if (places.some((name) => event.affectsConfiguration(name))) service.restartWhenIdle();
  });
  return {
    request: (request, { onAnswer, signal } = {}) =>
      service.request(request, {
        ...(signal && { signal }),
        onAnswer: (answer) => {
          writeLog(log, answer);
          answered.fire(answer);
          onAnswer?.(answer);
        },
      }),
    onDidAnswer: answered.event,
    dispose: () => {
      answered.dispose();
      settings.dispose();
      service.dispose();
    },
  };
}

function writeLog(log: Log, answer: ServiceAnswerBody): void {
  if (answer.type !== 'log') return;
  const { message } = answer;
  if (answer.level === 'error') log.error(message);
  else if (answer.level === 'warning') log.warn(message);
  else log.info(message);
}
