import * as vscode from 'vscode';
import { CancelledError, UserError } from '../../protocol/errors.ts';
import { visible, visibleJson } from '../../protocol/visibleText.ts';
import type { PreparedCall, Tool, ToolContext } from '../../agents/tool.ts';
import { failureSentence, resultOf } from '../../agents/toolResult.ts';
import { editorName, tools } from '../../agents/tools.ts';
import { openWorkplace } from '../../agents/workplace.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { signalOf } from '../service/signalOf.ts';
import { readSettings, runsFolders } from '../settings.ts';
import { controlRun } from '../trainer/controlRun.ts';

type AgentParts = Pick<Parts, 'log' | 'trainers' | 'service' | 'panels'>;

/** The tools as the editor’s language models use them, by the names that package.json gives them. */
export function createLanguageModelTools(parts: AgentParts): ReadonlyMap<string, vscode.LanguageModelTool<object>> {
  return new Map(tools.map((tool) => [editorName(tool.name), languageModelTool(tool, parts)]));
}

function languageModelTool(tool: Tool, parts: AgentParts): vscode.LanguageModelTool<object> {
  /** Questions that the editor was given to ask and whose calls have not come yet. */
  const asked: Asked[] = [];
  return {
    prepareInvocation: async ({ input }, token) => {
      const question = await preparedCall(tool, input, token, parts).then(
        (call) => call.question,
        // The call itself says what is wrong.
        () => undefined,
      );
      const given = JSON.stringify(input);
      if (question === undefined) {
        // What was asked of such a call before, and perhaps declined, is not asked of this one.
        asked.splice(0, asked.length, ...asked.filter((other) => other.given !== given));
        return { invocationMessage: tool.title };
      }
      asked.push({ question, given });
      if (asked.length > mostAsked) asked.shift();
      const message = new vscode.MarkdownString().appendText(visible(question));
      return { invocationMessage: tool.title, confirmationMessages: { title: tool.title, message } };
    },
    invoke: async ({ input }, token) => {
      try {
        const pictures: vscode.LanguageModelDataPart[] = [];
        const call = await preparedCall(tool, input, token, parts, pictures);
        requireAsked(call, asked);
        const result = await resultOf(tool, call);
        return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(visibleJson(result)), ...pictures]);
      } catch (error) {
        if (error instanceof CancelledError) throw new vscode.CancellationError();
        if (error instanceof UserError) parts.log.warn(`${tool.name}: ${error.message}`);
        else parts.log.error(error instanceof Error ? error : String(error));
        throw new Error(failureSentence(error), { cause: error });
      }
    },
  };
}

/** A question, and the input of the call that it is about, as JSON. */
interface Asked {
  readonly question: string;
  readonly given: string;
}

/** More than are ever asked beside each other. */
const mostAsked = 100;

/** Throws if the user was not asked this very question: what was asked before may have become another matter since. */
function requireAsked({ question }: PreparedCall, asked: Asked[]): void {
  if (question === undefined) return;
  const at = asked.findIndex((other) => other.question === question);
  if (at < 0) throw new UserError('What this call does has changed while the user was asked: call it again.');
  asked.splice(at, 1);
}

async function preparedCall(
  tool: Tool,
  input: object,
  token: vscode.CancellationToken,
  parts: AgentParts,
  pictures: vscode.LanguageModelDataPart[] = [],
): Promise<PreparedCall> {
  requireTrust('agents');
  const { LanguageModelDataPart: part } = vscode as Partial<typeof vscode>;
  const onPicture =
    part && ((jpeg: string) => void pictures.push(part.image(Buffer.from(jpeg, 'base64'), 'image/jpeg')));
  return tool.prepare(input, { ...(await contextOf(token, parts)), onPicture });
}

async function contextOf(
  token: vscode.CancellationToken,
  { service, trainers, panels }: AgentParts,
): Promise<ToolContext> {
  const { engine, device } = readSettings();
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
  return {
    workplace: await openWorkplace(
      folders.map(({ uri }) => uri.fsPath),
      runsFolders(),
    ),
    ...{ engine, device, signal: signalOf(token), onProgress: () => undefined },
    ask: (request, call) => service.request(request, call),
    startTraining: async (request) => {
      const folder = await trainers.start(request);
      panels.showRuns([folder], { preserveFocus: true });
      return folder;
    },
    stopTraining: (run) => controlRun(run, { type: 'stop' }),
  };
}
