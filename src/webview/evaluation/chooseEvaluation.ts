import * as l10n from '@vscode/l10n';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';

/** What is tested on: a folder's split. */
export type TestedData = { data: string; split: string };

/** The data and splits of the evaluations, newest first, each once. */
export function testedData(evaluations: readonly Evaluation[]): TestedData[] {
  const known = new Map(evaluations.map(({ data, split }) => [testedKey({ data, split }), { data, split }]));
  return [...known.values()];
}

/** Names data and split in one string. */
export function testedKey({ data, split }: TestedData): string {
  return JSON.stringify([data, split]);
}

/** The newest evaluation of that data with one crop and with five. */
export function byCrops(evaluations: readonly Evaluation[], tested: TestedData): { 1?: Evaluation; 5?: Evaluation } {
  const matching = evaluations.filter((evaluation) => testedKey(evaluation) === testedKey(tested));
  const one = matching.find(({ cropCount }) => cropCount === 1);
  const five = matching.find(({ cropCount }) => cropCount === 5);
  return { ...(one === undefined ? {} : { 1: one }), ...(five === undefined ? {} : { 5: five }) };
}

/** What the network saw of each image, as a title. */
export function cropsTitle(crops: CropCount, wholeImages: boolean): string {
  if (crops === 5) return l10n.t('Five crops');
  return wholeImages ? l10n.t('Whole image') : l10n.t('Center crop');
}

/**
 * What a reader of the figures should know of how the images were chosen, in sentences. One that is of one of two tests
 * names it, since the figures of both are on show.
 */
export function selectionNotes(tests: { 1?: Selected; 5?: Selected }): string[] {
  const own = ([5, 1] as const).flatMap((crops) => tests[crops] ?? []);
  const all = new Set(own.flatMap(notesOf));
  return [...all].map((note) => {
    const without = own.some((test) => !notesOf(test).includes(note));
    const crops = tests[5] !== undefined && notesOf(tests[5]).includes(note) ? 5 : 1;
    return without ? `${cropsTitle(crops, seesWholeImage(tests[crops]?.fit))}: ${note}` : note;
  });
}

type Selected = Pick<Evaluation, 'selection' | 'fit'>;

function notesOf({ selection }: Selected): readonly string[] {
  return (
    selection?.notes ?? [
      l10n.t('This result does not say whether the run was trained on some of the tested images: test again to know.'),
    ]
  );
}

/** Whether the checkpoint that was tested is no longer what lies under its name, as `best` is while a run goes on. */
export function isOutdated({ time }: Pick<Evaluation, 'time'>, written: string | undefined): boolean {
  return written !== undefined && Date.parse(time) < Date.parse(written);
}
