import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { CancelledError, messageOf, usageError, UserError, userError } from '../../protocol/errors.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { type GivenConfig, givenConfigSchema } from '../../protocol/trainingConfig.ts';
import { visible, visibleLines } from '../../protocol/visibleText.ts';
import { readBoundedJson, settingsLimit } from '../../runs/boundedFile.ts';
import { chooseTrainingEngine } from '../engine/chooseTrainingEngine.ts';
import { createTrainingControl } from '../training/run/control.ts';
import { trainRun } from '../training/run/trainRun.ts';
import { webhookOf } from '../webhook/webhook.ts';
import { serveRun } from './serveRun.ts';

const usage = 'trainer CONFIG.json|- OUT [NAME] [--resume RUN|CHECKPOINT] [--weights-folder DIR] [--mirror PLACE]';

/**
 * The trainer process: trains one run and serves it on a local socket that the run's record names. It outlives whoever
 * started it, and ends cleanly, after the step, on SIGINT, SIGTERM or a client's `stop`. Once the run's folder is there,
 * its path is printed on standard output as one line of JSON, `{"folder": ...}`. Exit codes: 0 finished or stopped, 1
 * failed, 2 wrong use; the reason is one sentence on standard error. `FIVECROP_WEBHOOK` is an address that is told of the end.
 */
async function main(): Promise<void> {
  outliveTheParent();
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      resume: { type: 'string' },
      'weights-folder': { type: 'string' },
      mirror: { type: 'string' },
    },
  });
  const [source, out, name, ...rest] = positionals;
  if (source === undefined || out === undefined || rest.length > 0) throw usageError(`Use: ${usage}`);
  const config = await readConfig(source);
  const control = createTrainingControl();
  process.on('SIGINT', control.stop);
  process.on('SIGTERM', control.stop);
  const server = await serveRun(control);
  const { resume, mirror, 'weights-folder': folder } = values;
  const webhook = webhookOf(process.env);
  try {
    await trainRun(config, {
      out,
      chooseEngine: chooseTrainingEngine,
      control,
      socket: server.address,
      ...(name === undefined ? {} : { name }),
      ...(resume === undefined ? {} : { resume }),
      ...(webhook ? { webhook } : {}),
      weights: { ...(folder === undefined ? {} : { folder }), ...(mirror === undefined ? {} : { mirror }) },
      onFolder: (path, events) => {
        server.begin(basename(path), events);
        process.stdout.write(`${JSON.stringify({ folder: path })}\n`);
      },
      onEvent: server.event,
    });
  } finally {
    await server.close();
  }
}

/** A closed window or terminal must not end a run; nor must writing to a pipe that nobody reads any more. */
function outliveTheParent(): void {
  process.on('SIGHUP', () => undefined);
  process.on('disconnect', () => undefined);
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
}

async function readConfig(source: string): Promise<GivenConfig> {
  const json = source === '-' ? parseJson(await text(process.stdin)) : await readBoundedJson(source, settingsLimit);
  const result = givenConfigSchema.safeParse(withRecipe(json));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw usageError(`The configuration is wrong at ${pathOf(issue?.path ?? [])}: ${issue?.message ?? ''}.`);
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.length === 0 ? 'its root' : path.map(String).join('.');
}

function parseJson(content: string): unknown {
  try {
    return parseBoundedJson(content);
  } catch (error) {
    throw userError(`The configuration cannot be used: ${messageOf(error)}.`, error);
  }
}

/** `ERR_PARSE_ARGS_...` is what parseArgs throws for flags that there are not. */
function exitCodeOf(error: unknown): number {
  const isUsage =
    (error instanceof UserError && error.kind === 'usage') ||
    (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  return isUsage ? 2 : 1;
}

try {
  await main();
} catch (error) {
  reportFailure(error);
}

function reportFailure(error: unknown): void {
  if (error instanceof CancelledError) {
    console.error('Stopped before the run had a folder; there is nothing to resume from.');
    return;
  }
  const known = error instanceof UserError;
  // The editor takes a line for the whole sentence.
  const stack = error instanceof Error ? error.stack : undefined;
  console.error(known || stack === undefined ? visible(messageOf(error)) : visibleLines(stack));
  process.exitCode = exitCodeOf(error);
}
