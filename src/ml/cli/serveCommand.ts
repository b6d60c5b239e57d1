import { Command, Option } from 'commander';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import process from 'node:process';
import { usageError, userError } from '../../protocol/errors.ts';
import { createDecodePool } from '../data/decodePool.ts';
import { chooseServingEngine } from '../engine/chooseServingEngine.ts';
import { loadClassifier } from '../inference/loadClassifier.ts';
import type { Classifier } from '../inference/classifier.ts';
import type { ServeOptions } from '../serve/startServer.ts';
import { classifierFromFlags } from './classifierFlags.ts';
import { computingOptions, cropCountFrom, cropsOption, placementFromFlags } from './computingFlags.ts';
import { numberOf, type OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { foreignOptions, networkOptions, preprocessingOptions } from './networkFlags.ts';
import { createOutput, type Output } from './output.ts';
import { limitsOf } from '../serve/serveLimits.ts';

const examples = `
Examples:
  fivecrop serve runs/NAME
  fivecrop serve runs/NAME --port 9000 --crops 1
  fivecrop serve runs/NAME --host 0.0.0.0 --token-file token.txt

  curl --data-binary @rose.jpg -H 'Content-Type: image/jpeg' http://127.0.0.1:8765/classify
  curl -F image=@rose.jpg -F image=@tulip.png 'http://127.0.0.1:8765/classify?top=3'

Answers are what predict --json prints, one for each image, in the order sent. / is a page to try it on, /openapi.json
describes it, /health says whether it is ready, and /metrics has figures for Prometheus. Ctrl-C stops it when what it has
accepted is answered.`;

/** `fivecrop serve`: see its help text. */
export function serveCommand(): Command {
  const command = new Command('serve')
    .summary('classify images over HTTP')
    .description('Answers HTTP requests with the classes of the images in them, until it is stopped.')
    .argument('[run]', 'the folder of a run, whose best checkpoint is taken, or a checkpoint')
    .option('--checkpoint <file>', 'the same as the argument')
    .addHelpText('after', examples)
    .addOption(new Option('--port <n>', 'port to listen on; 0 for a free one').default('8765'))
    .addOption(
      new Option('--host <address>', 'address to listen on; others than this machine need a token').default(
        '127.0.0.1',
      ),
    )
    .option('--token-file <file>', 'file with the token that requests must bear; else FIVECROP_TOKEN has it')
    .addOption(new Option('--max-images <n>', 'most images in a request').default('32'))
    .addOption(new Option('--max-megabytes <n>', 'largest image; a request may have four times as much').default('32'))
    .addOption(
      new Option('--queue <n>', 'most images that wait; more requests are answered with 503 until then').default('64'),
    )
    .addOption(cropsOption(5));
  for (const option of [...networkOptions(), ...preprocessingOptions(), ...foreignOptions()]) command.addOption(option);
  for (const option of computingOptions()) command.addOption(option);
  return command.action((run: string | undefined, options: OptionValues) => serveForParent(run, options));
}

/** Serves until it is stopped, also by a parent that started this process with a channel to it, such as the editor, and lets go of it or is gone. */
async function serveForParent(run: string | undefined, options: OptionValues): Promise<void> {
  const controller = new AbortController();
  const release = () => controller.abort();
  if (process.connected) process.once('disconnect', release);
  try {
    await serve(run, options, controller.signal);
  } finally {
    process.off('disconnect', release);
    // The channel would keep the process.
    if (process.connected) process.disconnect();
  }
}

async function serve(run: string | undefined, options: OptionValues, released: AbortSignal): Promise<void> {
  const output = createOutput(false);
  const settings = await settingsFrom(options, output);
  const source = classifierFromFlags(withRun(run, options));
  // Only this command needs the server's libraries.
  const { startServer } = await import('../serve/startServer.ts');
  const placement = await placementFromFlags(options, output.say, chooseServingEngine);
  const classifier = await loadClassifier(source, placement, { log: output.say });
  const pool = createDecodePool();
  try {
    await withInterrupt(
      () => output.say('Stopping when what was accepted is answered; Ctrl-C again quits at once.'),
      async (signal) => {
        const ends = AbortSignal.any([signal, released]);
        await warmUp(classifier);
        const server = await startServer(classifier, { ...settings, pool });
        output.print(`Serving ${classifier.title} at ${server.address}`);
        if (!ends.aborted) await once(ends, 'abort');
        await server.stop();
      },
    );
  } finally {
    await pool.dispose();
    await classifier.dispose();
  }
}

/** The first image would wait for what is prepared with it. */
async function warmUp(classifier: Classifier): Promise<void> {
  const { crop } = classifier.preprocessing;
  await classifier.probabilities({ dtype: 'uint8', shape: [1, 3, crop, crop], data: new Uint8Array(3 * crop * crop) });
}

function withRun(run: string | undefined, options: OptionValues): OptionValues {
  if (run === undefined) return options;
  if (options['checkpoint'] !== undefined)
    throw usageError('Name the checkpoint once: as the argument or by --checkpoint.');
  return { ...options, checkpoint: run };
}

async function settingsFrom(options: OptionValues, { say }: Output): Promise<Omit<ServeOptions, 'pool'>> {
  const images = wholeNumber(options, '--max-images', 'maxImages', 1, 1000);
  const waitingImages = wholeNumber(options, '--queue', 'queue', 1, 10_000);
  if (waitingImages < images) throw usageError(`--queue ${waitingImages} is less than the images of a request: take ${images} or more, or a smaller --max-images.`); // prettier-ignore
  return {
    host: String(options['host']),
    port: wholeNumber(options, '--port', 'port', 0, 65_535),
    token: await tokenFrom(options),
    cropCount: cropCountFrom(options),
    limits: limitsOf({
      megabytes: wholeNumber(options, '--max-megabytes', 'maxMegabytes', 1, 256),
      images,
      waitingImages,
    }),
    log: say,
  };
}

function wholeNumber(options: OptionValues, flag: string, name: string, least: number, most: number): number {
  const value = numberOf(flag, String(options[name]));
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw usageError(`${flag} takes a whole number from ${least} to ${most}, not ${value}.`);
}

/** Shorter ones can be guessed. */
const leastTokenLength = 16;

async function tokenFrom({ tokenFile }: OptionValues): Promise<string | undefined> {
  const given = typeof tokenFile === 'string' ? await readToken(tokenFile) : process.env['FIVECROP_TOKEN'];
  if (given === undefined || (typeof tokenFile !== 'string' && given === '')) return undefined;
  const token = given.trim();
  if (/^[\x21-\x7e]+$/u.test(token) && token.length >= leastTokenLength) return token;
  throw usageError(`A token has ${leastTokenLength} or more letters, digits and signs, and no spaces between them.`);
}

async function readToken(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw userError(`The token’s file ${file} cannot be read; name another one by --token-file.`, error);
  }
}
