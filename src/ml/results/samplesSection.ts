import { count, percent } from '../../charts/format.ts';
import type { Evaluation } from '../../protocol/evaluation.ts';
import { plural } from '../../protocol/plural.ts';
import { pictureOf } from '../data/picture.ts';
import { html, type Markup } from './markup.ts';
import { section } from './pageDocument.ts';

/** Pictures of each kind, and their longer side in pixels: some hundred kilobytes in all. */
const mostPictures = 12;
const pictureSize = 200;

type Result = Evaluation['results'][number];

/** Of so many tested images those to show. */
interface ChosenSamples {
  readonly of: number;
  readonly shown: readonly Result[];
}

/** Tested images to show: the most certain errors, and right ones of classes from all over. */
function chosenSamples({ results }: Pick<Evaluation, 'results'>): { wrong: ChosenSamples; right: ChosenSamples } {
  const wrong = results.filter(({ actual, predicted }) => actual !== predicted);
  const firstRight = new Map<number, Result>();
  for (const result of results) {
    if (result.actual === result.predicted && !firstRight.has(result.actual)) firstRight.set(result.actual, result);
  }
  const right = [...firstRight.values()].sort((a, b) => a.actual - b.actual);
  const step = Math.max(1, right.length / mostPictures);
  const shownRight = Array.from(
    { length: Math.min(mostPictures, right.length) },
    (_, place) => right[Math.floor(place * step)],
  ).filter((result) => result !== undefined);
  return {
    wrong: { of: wrong.length, shown: wrong.toSorted((a, b) => b.probability - a.probability).slice(0, mostPictures) },
    right: { of: results.length - wrong.length, shown: shownRight },
  };
}

/** Tested images with what they were taken for, embedded small. Images that are gone or do not decode are left out. */
export async function samplesSection(evaluation: Evaluation): Promise<Markup | undefined> {
  const names = new Map(evaluation.perClass.map(({ index, name }) => [index, name]));
  const name = (index: number) => names.get(index) ?? `class ${index}`;
  const { wrong, right } = chosenSamples(evaluation);
  let missing = 0;
  const items = async (results: readonly Result[]) => {
    const made: Markup[] = [];
    for (const result of results) {
      const picture = await pictureOf(result.image, pictureSize).catch(() => undefined);
      if (picture === undefined) missing++;
      else made.push(sample(result, picture.picture, name));
    }
    return made;
  };
  // Without the numbers it would look as if half of all were wrong.
  const titled = (title: string, of: number, shown: number) => `${title}: ${count(shown)} of ${plural(of, 'image')}`;
  const [errors, hits] = [await items(wrong.shown), await items(right.shown)];
  const groups = [
    { title: titled('Wrong, the most certain first', wrong.of, errors.length), pictures: errors },
    { title: titled('Right', right.of, hits.length), pictures: hits },
  ].filter(({ pictures }) => pictures.length > 0);
  const gone =
    missing === 0 ? undefined : html`<p class="hint">${plural(missing, 'image')} could not be read any more.</p>`;
  if (groups.length === 0 && gone === undefined) return undefined;
  return section(
    'Samples',
    html`${groups.map(
      ({ title, pictures }) =>
        html`<h3>${title}</h3>
          <ul class="samples">
            ${pictures}
          </ul>`,
    )}${gone}`,
  );
}

function sample(
  { actual, predicted, probability, actualProbability }: Result,
  picture: string,
  name: (index: number) => string,
): Markup {
  const verdict =
    actual === predicted
      ? [`${name(actual)}, ${percent(probability)}`]
      : [
          `Predicted as ${name(predicted)}, ${percent(probability)}`,
          `Is ${name(actual)}, ${percent(actualProbability)}`,
        ];
  return html`<li>
    <img src="${picture}" alt="${verdict.join('. ')}" />${verdict.map((words) => html`<span>${words}</span>`)}
  </li>`;
}
