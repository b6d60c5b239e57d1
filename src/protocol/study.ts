import * as z from 'zod';
import { list, name, sentence, text } from './bounded.ts';
import { givenConfigSchema } from './trainingConfig.ts';

export const studyVersion = 1;

/** What the runs of a study differ in: their networks, their methods, or how deep their networks are. */
export const studyKinds = ['networks', 'methods', 'depths'] as const;
export type StudyKind = (typeof studyKinds)[number];

/** What a study compares where nothing else is asked for: what the course report compares. */
export const comparedInReport: Readonly<Record<StudyKind, readonly string[]>> = {
  networks: ['densenet169', 'resnet18'],
  methods: ['head', 'full', 'scratch'],
  // The report draws DenseNet-169 from scratch beside its own networks.
  depths: ['ConvNet1', 'ConvNet2', 'ConvNet3', 'densenet169'],
};

/** Names of the files inside a study's folder. */
export const studyFiles = { record: 'study.json', lock: 'study.lock', results: 'study.md' } as const;

/** Most runs of a study. */
export const mostParts = 100;

export const studyPartSchema = z.object({
  /** What tells it from the others: a network's name, or a method. */
  label: text(1000, 1),
  /** Name of its run, whose folder lies beside the study's. */
  run: name(1),
  config: givenConfigSchema,
});
/** One of the runs that a study compares. */
export type StudyPart = z.infer<typeof studyPartSchema>;

/** A run that there are no results of, and why, in a sentence. */
export const missingPartSchema = z.object({ label: text(1000, 1), reason: sentence() });
export type MissingPart = z.infer<typeof missingPartSchema>;

/** Content of `study.json`: the runs of a study, written before the first one begins. */
export const studySchema = z.object({
  version: z.literal(studyVersion),
  kind: z.enum(studyKinds),
  created: name(),
  parts: list(studyPartSchema, mostParts),
});
export type Study = z.infer<typeof studySchema>;
