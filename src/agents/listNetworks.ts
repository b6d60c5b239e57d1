import * as z from 'zod';
import { text } from '../protocol/bounded.ts';
import { userError } from '../protocol/errors.ts';
import type { NetworkOffer } from '../protocol/serviceProtocol.ts';
import { limitInput } from './inputs.ts';
import { answerOf, defineTool, readsOnly, type ToolContext } from './tool.ts';

/** What can be trained. */
export const listNetworks = defineTool({
  name: 'list_networks',
  title: 'List Networks',
  description:
    'Lists the networks that train_classifier takes by name, with the number of parameters, the ImageNet accuracy of the pretrained weights, their size, and whether they are on this machine already. Reads only.',
  input: z.strictObject({
    family: text(100).optional().describe('Part of the name of a network or of its family, such as resnet.'),
    limit: limitInput(200),
  }),
  output: z.object({
    count: z.number(),
    of: z.string().describe('Which images the accuracies are of.'),
    networks: z.array(
      z.object({
        name: z.string(),
        parameters: z.number(),
        imagenetTop1: z.number().optional(),
        weightsBytes: z.number().optional().describe('Size of the pretrained weights; absent if there are none, so that it trains from scratch.'), // prettier-ignore
        weightsHere: z.boolean(),
      }),
    ),
  }),
  effects: readsOnly,
  prepare: ({ family = '', limit }, context) =>
    Promise.resolve({
      run: async () => {
        const { networks } = await answerOf(context, { type: 'networks' }, 'networks');
        const part = family.toLowerCase();
        const found = networks.filter((network) => `${network.name} ${network.family}`.toLowerCase().includes(part));
        return {
          count: found.length,
          of: 'ImageNet’s validation images, as those who published the weights tell it',
          networks: found.slice(0, limit).map(({ name, parameters, top1, weightsBytes, weightsHere }) => ({
            ...{ name, parameters, weightsHere },
            ...(top1 === undefined ? {} : { imagenetTop1: top1 }),
            ...(weightsBytes === undefined ? {} : { weightsBytes }),
          })),
        };
      },
    }),
});

/**
 * What is offered of a network by its name. Throws a user error if there is none; undefined for one that no list has: a
 * ConvNet of another depth, or one of timm’s on the hub.
 */
export async function requireNetwork(name: string, context: ToolContext): Promise<NetworkOffer | undefined> {
  if (/^(?:ConvNet\d+$|timm\/)/u.test(name)) return undefined;
  const { networks } = await answerOf(context, { type: 'networks' }, 'networks');
  const found = networks.find((network) => network.name === name);
  if (found) return found;
  throw userError(`There is no network ${name}: list_networks lists those that there are.`);
}
