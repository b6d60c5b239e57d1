import * as l10n from '@vscode/l10n';
import { type KeptProbabilities, mostKeptProbabilities } from '../../protocol/keptProbabilities.ts';
import type { CropCount } from '../../protocol/serviceProtocol.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';
import { shownScores, type ShownScores } from './shownScores.ts';

/** The probabilities of a test; undefined until they are known, or if it keeps none, and then why, as a sentence. */
export type ScoresOrWhyNot = { scores: ShownScores | undefined; lacking: string };

export type KnownScores = {
  /** Asks for those of a test at first. */
  of: (evaluation: ShownEvaluation | undefined) => ScoresOrWhyNot;
  arrived: (of: { time: string; crops: CropCount }, kept: KeptProbabilities | undefined) => void;
};

/** Tests whose probabilities are remembered: one crop and five of what is shown. */
const remembered = 2;

/** The probabilities that the host was asked for. */
export function knownScores(ask: (time: string, crops: CropCount) => void): KnownScores {
  const waited = new Set<string>();
  const arrived = new Map<string, KeptProbabilities | undefined>();
  const made = new WeakMap<KeptProbabilities, ShownScores | undefined>();
  const scoresOf = (evaluation: ShownEvaluation, kept: KeptProbabilities): ShownScores | undefined => {
    if (!made.has(kept)) made.set(kept, shownScores(evaluation, kept));
    return made.get(kept);
  };
  return {
    of: (evaluation) => {
      if (evaluation === undefined) return { scores: undefined, lacking: '' };
      const { time, cropCount } = evaluation;
      const key = `${time} ${cropCount}`;
      if (!arrived.has(key)) {
        if (!waited.has(key)) ask(time, cropCount);
        waited.add(key);
        return { scores: undefined, lacking: l10n.t('Reading the probabilities…') };
      }
      const kept = arrived.get(key);
      const scores = kept && scoresOf(evaluation, kept);
      return { scores, lacking: scores ? '' : whyNone(evaluation) };
    },
    arrived: ({ time, crops }, kept) => {
      const key = `${time} ${crops}`;
      waited.delete(key);
      arrived.set(key, kept);
      for (const old of [...arrived.keys()].slice(0, -remembered)) arrived.delete(old);
    },
  };
}

function whyNone({ images, perClass }: ShownEvaluation): string {
  return images * perClass.length > mostKeptProbabilities
    ? l10n.t(
        'This result keeps no probabilities, as there are too many of them: fivecrop test --curves writes the curves.',
      )
    : l10n.t('This result keeps no probabilities, as those of earlier versions: test again to see the curves.');
}
