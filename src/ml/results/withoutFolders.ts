import { dirname } from 'node:path';
import type { RunResults } from './readResults.ts';

/** Absolute paths up to their last separator, on any system; what stands before them tells them from addresses and parts of paths. */
const absoluteFolders = /(?<![\w.)\]/\\:])(?:[A-Za-z]:|\\)?(?:[\\/][^\\/\s]+)+[\\/]/gu;

/** A sentence in which files are named without the folders that they lie in; `known` may have spaces in their names. */
export function textWithoutFolders(text: string, known: readonly string[]): string {
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  const without = longestFirst.reduce(
    (rest, folder) => rest.replaceAll(`${folder}/`, '').replaceAll(`${folder}\\`, ''),
    text,
  );
  return without.replace(absoluteFolders, '');
}

/** A run whose sentences name no folders: where files lay on the machine that trained is not for everybody who gets the page. */
export function withoutFolders(run: RunResults): RunResults {
  const { record, folder, warnings, evaluations } = run;
  const { data, environment, reason, config } = record;
  const { classNames, network } = config;
  const file = network.kind === 'backbone' ? network.file : network.weights;
  const folders = [
    config.data,
    folder,
    ...(data ? [data.data] : []),
    ...evaluations.map((evaluation) => evaluation.data),
  ];
  const files = [...folders, file, classNames].filter((path) => path !== undefined);
  const known = [...folders, ...files.map((path) => dirname(path))].filter((path) => path.length > 1);
  const plain = (text: string) => textWithoutFolders(text, known);
  return {
    ...run,
    warnings: warnings.map(plain),
    record: {
      ...record,
      ...(reason === undefined ? {} : { reason: plain(reason) }),
      environment: { ...environment, fallbacks: environment.fallbacks.map(plain) },
      ...(data && {
        data: {
          ...data,
          findings: data.findings.map(({ todo, ...finding }) => ({
            ...finding,
            what: plain(finding.what),
            ...(todo === undefined ? {} : { todo: plain(todo) }),
          })),
        },
      }),
    },
    evaluations: evaluations.map((evaluation) => {
      const { selection } = evaluation;
      return selection ? { ...evaluation, selection: { ...selection, notes: selection.notes.map(plain) } } : evaluation;
    }),
  };
}
