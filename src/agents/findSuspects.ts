import * as z from 'zod';
import { userError } from '../protocol/errors.ts';
import { text } from '../protocol/bounded.ts';
import type { ClassifierSource } from '../protocol/serviceProtocol.ts';
import { suspectKinds } from '../protocol/suspect.ts';
import { dataInput, layoutInput, limitInput, runInput } from './inputs.ts';
import { requireNetwork } from './listNetworks.ts';
import { answerOf, defineTool, readsOnly } from './tool.ts';
import { checkpointInside, dataFolder, pathShown } from './workplace.ts';

/** Images that look wrong. */
export const findSuspects = defineTool({
  name: 'find_suspects',
  title: 'Find Suspect Images',
  description:
    'Finds images of a data folder that look wrong, the surest of each kind first: labels that the other images contradict (with the class that is likelier), near-duplicates, outliers, and blurred, dark, bright or empty pictures. A network turns each image into features first, which takes time on many images: give run (a run trained here, no download; best one of method head, since a network that was itself trained on these images has learned their wrong labels too) or network. Nothing is moved or deleted; the user decides what to do with the list.',
  input: z.strictObject({
    data: dataInput,
    run: runInput.optional(),
    network: text(1000, 1)
      .optional()
      .describe(
        'In place of run: a network with pretrained weights, such as resnet18; list_networks lists them. Weights that are not on this machine are downloaded, which the user is asked about.',
      ),
    kinds: z
      .array(z.enum(suspectKinds))
      .min(1)
      .max(suspectKinds.length)
      .default([...suspectKinds])
      .describe('Which kinds are told.'),
    layout: layoutInput,
    limit: limitInput(20),
  }),
  output: z.object({
    data: z.string(),
    of: z.string().describe('Which images were looked at, and by what.'),
    images: z.number(),
    estimatedWrongLabels: z.number().describe('How many labels are wrong by confident learning’s count.'),
    counts: z.object({ label: z.number(), duplicate: z.number(), outlier: z.number(), quality: z.number() }),
    suspects: z.array(
      z.object({
        kind: z.enum(suspectKinds),
        image: z.string(),
        class: z.string().describe('Folder of its class.'),
        likelier: z.string().optional().describe('For label: folder of the class that it likelier is.'),
        twin: z.string().optional().describe('For duplicate: the image that it is nearly the same as.'),
        looks: z.string().optional().describe('For quality: blurred, dark, bright or flat.'),
        score: z.number().describe('How sure it is, from 0 to 1; comparable within a kind.'),
      }),
    ),
  }),
  effects: { ...readsOnly, openWorldHint: true },
  prepare: async (input, context) => {
    const { workplace, engine, device } = context;
    const { run, network, kinds, limit, layout } = input;
    const data = await dataFolder(workplace, input.data, context.signal);
    if ((run === undefined) === (network === undefined)) {
      throw userError('find_suspects needs one network: give run, the name of a run, or network, the name of a pretrained network.'); // prettier-ignore
    }
    const source: ClassifierSource =
      run === undefined
        ? { kind: 'architecture', name: network ?? '' }
        : { kind: 'checkpoint', path: await checkpointInside(workplace, run) };
    const by = run === undefined ? `the pretrained network ${network ?? ''}` : `the network of ${run}`;
    const question =
      source.kind === 'architecture' && (await requireNetwork(source.name, context))?.weightsHere !== true
        ? `Download the pretrained weights of ${source.name} into the cache folder, and look for suspect images in ${pathShown(workplace, data)} with them?`
        : undefined;
    return {
      ...(question === undefined ? {} : { question }),
      run: async () => {
        const request = { type: 'suspects' as const, data, source, layout, engine, device };
        const found = await answerOf(context, request, 'suspects');
        const count = (kind: string) => found.suspects.filter((suspect) => suspect.kind === kind).length;
        const shown = (path: string | undefined) => (path === undefined ? undefined : pathShown(workplace, path));
        return {
          data: pathShown(workplace, data),
          of: `all images of all splits in the folder that decode, by the features of ${by}; each label is judged by classifiers trained on other images`,
          images: found.images,
          estimatedWrongLabels: found.estimatedLabelIssues,
          counts: { label: count('label'), duplicate: count('duplicate'), outlier: count('outlier'), quality: count('quality') }, // prettier-ignore
          suspects: kinds.flatMap((kind) =>
            found.suspects
              .filter((suspect) => suspect.kind === kind)
              .slice(0, limit)
              .map(({ image, folder, likely, twin, what, score }) => ({
                ...{ kind, image: pathShown(workplace, image), class: folder, score },
                ...(kind === 'label' && likely !== undefined ? { likelier: likely } : {}),
                ...(twin === undefined ? {} : { twin: shown(twin) }),
                ...(what === undefined ? {} : { looks: what }),
              })),
          ),
        };
      },
    };
  },
});
