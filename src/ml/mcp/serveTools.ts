import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { ToolContext } from '../../agents/tool.ts';
import type { Workplace } from '../../agents/workplace.ts';
import { UserError, userError } from '../../protocol/errors.ts';
import { visibleLines } from '../../protocol/visibleText.ts';
import { weightsAdviceForShell } from '../../protocol/weightsAdvice.ts';
import { startTrainer } from '../../runs/startTrainer.ts';
import { createServiceHandler } from '../service/serviceHandler.ts';
import { defaultWeightsFolder } from '../weights/weightsPlaces.ts';
import { createMcpServer, type McpOptions } from './mcpServer.ts';
import { stopRun } from './stopRun.ts';

export interface ServeToolsOptions extends Pick<ToolContext, 'engine' | 'device'>, Pick<McpOptions, 'allowWrites'> {
  readonly workplace: Workplace;
  /** Ends the server. */
  readonly signal: AbortSignal;
}

/** Largest message that is read, in bytes: far more than the longest input of a tool. */
const longestMessage = 4 * 1024 * 1024;

/**
 * Serves the tools on standard input and output until the client closes them, or `signal` is aborted. What is said besides
 * goes to standard error. Trainings go on after the end.
 */
export async function serveTools({ signal, allowWrites, ...computing }: ServeToolsOptions): Promise<void> {
  const report = (problem: string) => void process.stderr.write(`${visibleLines(problem)}\n`);
  const context = { ...computing, ask: createAsk(), startTraining: createStart(report), stopTraining: stopRun };
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: longestMessage });
  const handle = serveStdio(() => createMcpServer({ context, allowWrites, report }), {
    transport,
    onerror: ({ message }) => report(`fivecrop: ${message}`),
  });
  await new Promise<void>((resolve) => {
    const close = transport.onclose;
    transport.onclose = () => {
      close?.();
      resolve();
    };
    const stop = () => void handle.close().finally(resolve);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
  });
}

/** Asks the service’s own handler, in this process. */
function createAsk(): ToolContext['ask'] {
  const handle = createServiceHandler();
  return async (request, { signal = new AbortController().signal, onAnswer = () => undefined }) => {
    try {
      await handle(request, { signal, answer: onAnswer });
    } catch (error) {
      if (!(error instanceof UserError && error.kind === 'weights')) throw error;
      throw userError(weightsAdviceForShell(error.message, defaultWeightsFolder()), error);
    }
  };
}

function createStart(report: (line: string) => void): ToolContext['startTraining'] {
  const script = fileURLToPath(new URL('./trainer.mjs', import.meta.url));
  return (request) =>
    startTrainer(request, { script, environment: process.env, onErrorLine: (line) => report(`trainer: ${line}`) });
}
