import { Command, Option } from 'commander';
import { backboneNames } from '../../protocol/backboneNames.ts';
import { usageError } from '../../protocol/errors.ts';
import { plural } from '../../protocol/plural.ts';
import type { NetworkOffer } from '../../protocol/serviceProtocol.ts';
import { deviceFingerprint } from '../engine/chooseEngine.ts';
import { type NetworkSpeeds, recallSpeeds, rememberSpeeds } from '../inference/networkSpeeds.ts';
import { measureNetwork } from '../inference/measureNetwork.ts';
import { nearNames } from '../networks/nearNames.ts';
import { namedNetwork } from '../networks/registry.ts';
import { offeredNetworks } from '../weights/networkOffers.ts';
import { computingOptions, placementFromFlags } from './computingFlags.ts';
import type { OptionValues } from './configFlags.ts';
import { withInterrupt } from './interrupt.ts';
import { createOutput, type Output } from './output.ts';
import { formatTable } from './table.ts';

const examples = `
Examples:
  fivecrop networks                                        all of them
  fivecrop networks vit                                    those with “vit” in name, title, family or license
  fivecrop networks mobilenet --measure                    and how fast they are on this machine

For --backbone there are ONNX files on the hub by the short names ${backboneNames.join(', ')}.

Accuracy is ImageNet’s, one centre crop; networks without one were trained on other classes. A network of timm that is
not listed is found by its name on the hub too, as timm/NAME.TAG, if it is of one of the families. Images per second are
those of a batch of 8, measured with --measure and remembered until the machine or what computes changes.`;

/** `fivecrop networks`: see its help text. */
export function networksCommand(): Command {
  const command = new Command('networks')
    .summary('list the networks that --arch takes')
    .description('Lists networks with parameters, accuracy, size, license, and whether their weights are here.')
    .argument('[words...]', 'only those that have all of these words in name, title, family or license')
    .option('--measure', 'measure how many images per second each classifies on this machine')
    .addOption(new Option('--json', 'print one object per network, one per line'))
    .addHelpText('after', examples)
    .action(list);
  for (const option of computingOptions()) command.addOption(option);
  return command;
}

/** What a line tells of a network. */
interface NetworkLine extends NetworkOffer {
  readonly imagesPerSecond?: number;
  readonly headPerSecond?: number | undefined;
  readonly engine?: string;
  readonly device?: string;
}

async function list(words: readonly string[], options: OptionValues): Promise<void> {
  const output = createOutput(options['json'] === true);
  const offers = withWords(offeredNetworks(), words);
  const speeds =
    options['measure'] === true ? await measure(offers, options, output) : await recallSpeeds(deviceFingerprint());
  const lines = offers.map((offer): NetworkLine => ({ ...offer, ...speeds[offer.name] }));
  for (const line of lines) output.object(line);
  const header = ['--arch', 'family', 'parameters', 'ImageNet', 'weights', '', 'license', 'images/s', 'measured with'];
  for (const line of formatTable(header, lines.map(rowOf))) output.print(line);
}

/** Those that have all of the words. Throws a usage error where there are none. */
function withWords(offers: readonly NetworkOffer[], words: readonly string[]): readonly NetworkOffer[] {
  const small = words.map((word) => word.toLowerCase());
  const found = offers.filter(({ name, title, family, licence = '' }) => {
    const text = [name, title, family, licence].join('\n').toLowerCase();
    return small.every((word) => text.includes(word));
  });
  if (found.length > 0) return found;
  const near = nearNames(
    words.join(' '),
    offers.map(({ name }) => name),
  );
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : 'leave the words out to see all.';
  throw usageError(`No network has “${words.join(' ')}” in its name, title, family or license: ${hint}`);
}

async function measure(offers: readonly NetworkOffer[], options: OptionValues, output: Output): Promise<NetworkSpeeds> {
  const placement = await placementFromFlags(options, output.say);
  const { engine, device } = placement;
  const fingerprint = deviceFingerprint();
  output.say(`Measuring ${plural(offers.length, 'network')} with ${engine.name} on ${device}.`);
  const stopping = () => output.say('Stopping after this network; Ctrl-C again quits at once.');
  await withInterrupt(stopping, async (signal) => {
    for (const { name } of offers) {
      if (signal.aborted) break;
      const speed = await measureNetwork(namedNetwork(name), placement);
      output.say(`${name}: ${speedText(speed.imagesPerSecond)} images per second`);
      await rememberSpeeds(fingerprint, { [name]: { ...speed, engine: engine.name, device } });
    }
  });
  return recallSpeeds(fingerprint);
}

function speedText(imagesPerSecond: number): string {
  return imagesPerSecond < 10 ? imagesPerSecond.toFixed(1) : imagesPerSecond.toFixed(0);
}

function rowOf({ name, family, parameters, top1, licence, weightsBytes, weightsHere, ...measured }: NetworkLine) {
  const { imagesPerSecond, engine = '', device = '' } = measured;
  return [
    name,
    family,
    `${(parameters / 1e6).toFixed(1)} M`,
    top1 === undefined ? '–' : `${(100 * top1).toFixed(1)} %`,
    weightsBytes === undefined ? 'none' : `${Math.round(weightsBytes / 1e6)} MB`,
    weightsHere ? 'here' : '',
    licence ?? '–',
    ...(imagesPerSecond === undefined ? ['', ''] : [speedText(imagesPerSecond), `${engine} on ${device}`]),
  ];
}
