import type { Comparison } from '../../protocol/compareEvaluations.ts';
import { formatTable } from './table.ts';

/** Images that are listed of each kind; `--json` has all. */
const imagesShown = 20;

/** What `fivecrop test --crops both` prints: of two tests of the same images, by the centre crop and by five. */
export function cropLines({ images, figures, pairs, disputed }: Comparison): string[] {
  const [pair] = pairs;
  if (!pair) throw new Error('there are no two tests to compare');
  const rows = figures.map(({ accuracy, interval, loss }, place) => [
    place === 0 ? '1' : '5',
    accuracy.toFixed(3),
    `${interval.low.toFixed(3)} to ${interval.high.toFixed(3)}`,
    loss.toFixed(3),
  ]);
  const right = (place: number) => disputed.filter(({ actual, predicted }) => predicted[place] === actual);
  return [
    `${images} images`,
    ...formatTable(['crops', 'accuracy', '95% interval', 'loss'], rows),
    '',
    `Both right: ${pair.both}, only one crop: ${pair.onlyFirst}, only five: ${pair.onlySecond}, both wrong: ${pair.neither}`,
    `McNemar’s exact test: p = ${pair.p.toPrecision(3)}`,
    ...listed('Right by one crop alone', right(0)),
    ...listed('Right by five crops alone', right(1)),
  ];
}

function listed(what: string, images: Comparison['disputed']): string[] {
  if (images.length === 0) return [];
  const rest = images.length - imagesShown;
  const rows = images.slice(0, imagesShown).map(({ image, actual, predicted }) => {
    const wrong = predicted.find((folder) => folder !== actual) ?? '';
    return `  ${image} (else taken for ${wrong})`;
  });
  return ['', `${what}:`, ...rows, ...(rest > 0 ? [`  and ${rest} more, which --json lists`] : [])];
}
