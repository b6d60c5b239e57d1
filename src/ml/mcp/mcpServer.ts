import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  type InputRequiredResult,
  inputResponse,
  McpServer,
  type ServerContext,
  type StandardSchemaWithJSON,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { CancelledError, messageOf, UserError } from '../../protocol/errors.ts';
import { visible, visibleJson } from '../../protocol/visibleText.ts';
import type { Tool, ToolContext } from '../../agents/tool.ts';
import { failureSentence, plainText, resultOf } from '../../agents/toolResult.ts';
import { instructions, tools } from '../../agents/tools.ts';

export interface McpOptions {
  /** What calls are done with, but for what each has of its own. */
  readonly context: Omit<ToolContext, 'signal' | 'onProgress' | 'onPicture'>;
  /** Whether tools that write or start something do so without a question. */
  readonly allowWrites: boolean;
  /** Hears of bugs. */
  readonly report: (problem: string) => void;
}

/** Offers the tools to a client of the Model Context Protocol, of any of its revisions that the SDK speaks. */
export function createMcpServer(options: McpOptions): McpServer {
  const server = new McpServer(
    { name: 'fivecrop', title: packageJson.displayName, version: packageJson.version },
    { capabilities: { tools: {} }, instructions },
  );
  for (const tool of tools) {
    const { name, title, description, effects, input, output } = tool;
    const config = { title, description, annotations: effects, inputSchema: unchecked(input), outputSchema: output };
    server.registerTool(name, config, (given, call) => answerCall(tool, given, call, server, options));
  }
  return server;
}

/** The schema as it is told to clients; the tool itself checks the input, as its sentences say what to do. */
function unchecked(schema: Tool['input']): StandardSchemaWithJSON {
  return { '~standard': { ...schema['~standard'], validate: (value) => ({ value }) } };
}

type Answer = CallToolResult | InputRequiredResult;
type ImageContent = Extract<CallToolResult['content'][number], { type: 'image' }>;

async function answerCall(
  tool: Tool,
  given: unknown,
  call: ServerContext,
  server: McpServer,
  { context, allowWrites, report }: McpOptions,
): Promise<Answer> {
  const { signal } = call.mcpReq;
  try {
    const pictures: ImageContent[] = [];
    const onPicture = (data: string) => void pictures.push({ type: 'image', data, mimeType: 'image/jpeg' });
    const prepared = await tool.prepare(given, { ...context, signal, onProgress: progressOf(call, report), onPicture });
    const { question } = prepared;
    if (question !== undefined && !allowWrites) {
      const other = agreement(visible(question), call, server);
      if (other) return other;
    }
    const result = await resultOf(tool, prepared);
    return { content: [{ type: 'text', text: visibleJson(result) }, ...pictures], structuredContent: result };
  } catch (error) {
    if (error instanceof CancelledError) return refused('The call was cancelled.');
    if (!(error instanceof UserError)) report((error instanceof Error ? error.stack : undefined) ?? messageOf(error));
    return refused(failureSentence(error));
  }
}

/** Under which the answer to the question comes back. */
const agreed = 'agreed';

/** Asks the user, through the client. Undefined once the user has agreed to this very question; else what is answered in place of the result. */
function agreement(question: string, { mcpReq }: ServerContext, server: McpServer): Answer | undefined {
  const answer = inputResponse(mcpReq.inputResponses, agreed);
  const isOfThis = mcpReq.requestState() === question;
  if (isOfThis && answer.kind === 'elicit') {
    return answer.action === 'accept' ? undefined : refused('The user did not agree, so nothing was done.');
  }
  if (!canAsk(mcpReq.envelope, server)) {
    return refused(
      `This needs the user’s agreement (${question}), which this client cannot ask for: tell the user that “fivecrop mcp --allow-writes” does such things without a question.`,
    );
  }
  const nothing = { type: 'object' as const, properties: {} };
  return inputRequired({
    inputRequests: { [agreed]: inputRequired.elicit({ message: question, requestedSchema: nothing }) },
    requestState: question,
  });
}

/** What of a client’s capabilities matters here. */
const capabilitiesSchema = z.object({
  elicitation: z.object({ form: z.unknown().optional(), url: z.unknown().optional() }).optional(),
});

/** Whether the client shows its user a question. One that says no more than that it asks shows forms. */
function canAsk(envelope: Readonly<Record<string, unknown>> | undefined, server: McpServer): boolean {
  // Newer revisions say so with each request, older ones once: that alone is what is not to be used any more.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- clients of older revisions say it nowhere else
  const capabilities = envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? server.server.getClientCapabilities();
  const asks = capabilitiesSchema.safeParse(capabilities).data?.elicitation;
  return asks !== undefined && (asks.form !== undefined || asks.url === undefined);
}

function refused(sentence: string): CallToolResult {
  return { content: [{ type: 'text', text: sentence }], isError: true };
}

/** Tells a client that asked for it how far a call is. What is told has to grow, over all parts of the work. */
function progressOf({ mcpReq }: ServerContext, report: McpOptions['report']): ToolContext['onProgress'] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let [part, before, last] = ['', 0, -1];
  return ({ what, done, total }) => {
    if (what !== part) [part, before] = [what, Math.max(0, last)];
    const progress = before + done;
    if (progress <= last) return;
    last = progress;
    const params = {
      ...{ progressToken, progress, message: plainText(what) },
      ...(total === undefined ? {} : { total: before + total }),
    };
    // A client that has gone is told by the end of its connection.
    mcpReq.notify({ method: 'notifications/progress', params }).catch((error: unknown) => report(messageOf(error)));
  };
}
