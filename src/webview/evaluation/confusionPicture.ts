import * as l10n from '@vscode/l10n';
import { seesWholeImage } from '../../protocol/preprocessing.ts';
import { visible } from '../../protocol/visibleText.ts';
import { cssColor } from '../components/contrast.ts';
import { svg, type Child } from '../components/element.ts';
import { fitted } from '../../charts/fittedText.ts';
import { count, fileName, images, percent } from '../../charts/format.ts';
import { cellColors, type MatrixColors } from './cellColors.ts';
import { cellText, type CellValue } from './cellText.ts';
import { classNames, confusionMatrix } from './confusions.ts';
import type { ShownEvaluation } from './shownEvaluation.ts';

export type ConfusionPicture = { content: string; width: number; height: number };

export type ConfusionPictureOptions = {
  evaluation: ShownEvaluation;
  /** What the page calls the checkpoint. */
  label: string;
  value: CellValue;
  colors: MatrixColors;
};

/** With more classes no cell could be told from its neighbour. */
export const largestPicture = 200;

const margin = 24;
const font = 13;
const smallFont = 11;
const lineHeight = 19;
const longestLabel = 220;
const narrowest = 560;
/** Beside the matrix, for how many images each class has. */
const totalsRoom = 70;
const legendSteps = [0.05, 0.25, 0.5, 0.75, 1] as const;

/** Where the parts of the picture stand, in pixels. */
type Places = {
  /** Side of a cell. */
  cell: number;
  /** Side, left edge and upper edge of the matrix. */
  side: number;
  left: number;
  top: number;
  width: number;
  /** Names of the classes, cut to what fits. */
  labels: readonly string[];
  labelRoom: number;
  labelFont: number;
  heading: readonly string[];
};

/**
 * The confusion matrix as an SVG picture that can be read without the page: what was tested, on what, how well, what rows,
 * columns, numbers and shades mean.
 */
export function confusionPicture(options: ConfusionPictureOptions): ConfusionPicture {
  const { value, colors } = options;
  const places = placesOf(options);
  const { cell, side, left, top, width, labels } = places;
  const ink = cssColor(colors.foreground);
  const legend = legendOf(top + side + 28, value, colors);
  const height = top + side + 28 + legend.height + margin;
  const parts: Child[] = [
    svg('rect', { width, height, fill: cssColor(colors.background) }),
    ...titles(places, ink),
    ...columnLabels(places, ink),
    ...matrixRows(options, places),
    gridLines(left, top, cell, labels.length, ink),
    ...legend.parts,
  ];
  const size = { width, height, viewBox: `0 0 ${width} ${height}` };
  const picture = svg('svg', { ...size, 'font-family': 'sans-serif' }, parts);
  return { content: new XMLSerializer().serializeToString(picture), width, height };
}

function placesOf({ evaluation, label }: ConfusionPictureOptions): Places {
  const { perClass } = evaluation;
  const cell = perClass.length <= 30 ? 34 : perClass.length <= 60 ? 24 : 18;
  const labelFont = Math.min(font, cell - 5);
  const labels = perClass.map((row) => fitted(visible(row.name), longestLabel, (each) => textWidth(each, labelFont)));
  const labelRoom = Math.max(60, ...labels.map((each) => textWidth(each, labelFont))) + 8;
  const side = perClass.length * cell;
  const left = margin + lineHeight + labelRoom;
  const width = Math.max(narrowest, left + side + totalsRoom + margin);
  const heading = headingLines(evaluation, label).map((line) =>
    fitted(line, width - 2 * margin, (each) => textWidth(each, font)),
  );
  const top = margin + heading.length * lineHeight + 16 + lineHeight + labelRoom;
  return { cell, side, left, top, width, labels, labelRoom, labelFont, heading };
}

function textAt(
  x: number,
  y: number,
  content: string,
  ink: string,
  more: Record<string, string | number> = {},
): SVGTextElement {
  return svg('text', { x, y, fill: ink, 'font-size': font, ...more }, [content]);
}

/** The heading, and what rows, columns and the last column are. */
function titles({ heading, left, top, side, labelRoom }: Places, ink: string): SVGElement[] {
  const bold = { 'font-weight': 'bold' };
  const centred = { ...bold, 'text-anchor': 'middle' };
  const middle = { x: margin + font, y: top + side / 2 };
  const turned = { ...centred, transform: `rotate(-90 ${middle.x} ${middle.y})` };
  return [
    ...heading.map((each, at) =>
      textAt(margin, margin + font + at * lineHeight, each, ink, at === 0 ? { ...bold, 'font-size': 16 } : {}),
    ),
    textAt(left + side / 2, top - labelRoom - 10, l10n.t('Predicted class'), ink, centred),
    textAt(middle.x, middle.y, l10n.t('Actual class'), ink, turned),
    textAt(left + side + 8, top - 10, l10n.t('Images'), ink, bold),
  ];
}

function columnLabels({ labels, left, top, cell, labelFont }: Places, ink: string): SVGElement[] {
  return labels.map((each, across) => {
    const x = left + across * cell + cell / 2 + labelFont / 3;
    return textAt(x, top - 8, each, ink, { transform: `rotate(-90 ${x} ${top - 8})`, 'font-size': labelFont });
  });
}

/** Of each class its name, its cells and how many images it has. */
function matrixRows({ evaluation, value, colors }: ConfusionPictureOptions, places: Places): SVGElement[] {
  const { left, top, cell, side, labels, labelFont } = places;
  const [name, matrix] = [classNames(evaluation), confusionMatrix(evaluation)];
  const ink = cssColor(colors.foreground);
  const drawCell = (actual: number, predicted: number, x: number, y: number): SVGElement[] => {
    const number = matrix.count(actual, predicted);
    if (number === 0) return [];
    const share = matrix.share(actual, predicted);
    const { background, text } = cellColors(share, actual === predicted, colors);
    const names = [visible(name(actual)), visible(name(predicted))] as const;
    const title = l10n.t('{0} of {1} predicted as {2}, {3}', number, ...names, percent(share));
    const content = cellText(number, share, value);
    return [
      svg('g', {}, [
        svg('title', {}, [title]),
        svg('rect', { x, y, width: cell, height: cell, fill: cssColor(background) }),
        centered(x + cell / 2, y + cell / 2, content, cell, cssColor(text), actual === predicted),
      ]),
    ];
  };
  return evaluation.perClass.flatMap((row, down) => {
    const y = top + down * cell;
    const baseline = y + cell / 2 + labelFont / 3;
    return [
      textAt(left - 8, baseline, labels[down] ?? '', ink, { 'text-anchor': 'end', 'font-size': labelFont }),
      ...matrix.classes.flatMap((predicted, across) => drawCell(row.index, predicted, left + across * cell, y)),
      textAt(left + side + 8, baseline, count(row.images), ink, { 'font-size': labelFont }),
    ];
  });
}

function headingLines(evaluation: ShownEvaluation, label: string): string[] {
  const { split, data, cropCount, fit, accuracy, accuracyInterval, macro, time } = evaluation;
  const { low, high } = accuracyInterval;
  const one = seesWholeImage(fit) ? l10n.t('whole image') : l10n.t('center crop');
  const crops = cropCount === 5 ? l10n.t('mean of five crops') : one;
  return [
    l10n.t('Confusion matrix of {0}', visible(label)),
    l10n.t(
      '{0} of {1} ({2}), {3}, tested {4}',
      images(evaluation.images),
      visible(fileName(data)),
      split,
      crops,
      time.slice(0, 10),
    ),
    l10n.t(
      'Accuracy {0} (95 % interval {1} to {2}), F1 {3} (mean over classes)',
      percent(accuracy),
      percent(low),
      percent(high),
      percent(macro.f1),
    ),
  ];
}

/** What numbers and shades mean. */
function legendOf(top: number, value: CellValue, colors: MatrixColors): { parts: SVGElement[]; height: number } {
  const ink = cssColor(colors.foreground);
  const text = (x: number, y: number, content: string) => textAt(x, y, content, ink);
  const scale = (right: boolean, x: number, y: number) =>
    legendSteps.map((share, at) => {
      const fill = cssColor(cellColors(share, right, colors).background);
      return svg('rect', { x: x + at * 20, y, width: 19, height: 14, fill, ...thin(ink) });
    });
  const shades = margin + 70;
  const row = (at: number) => top + at * lineHeight;
  return {
    parts: [
      text(
        margin,
        row(0),
        value === 'counts' ? l10n.t('Numbers: images.') : l10n.t('Numbers: percent of the images of the actual class.'),
      ),
      text(margin, row(1), l10n.t('Shades: share of the images of the actual class, from few to all.')),
      text(margin, row(2) + 4, l10n.t('right')),
      ...scale(true, shades - 20, row(2) - 8),
      text(shades + 100, row(2) + 4, l10n.t('wrong')),
      ...scale(false, shades + 150, row(2) - 8),
    ],
    height: 2 * lineHeight + 10,
  };
}

/** All lines as one path: of ten thousand frames a picture would be slow to draw. */
function gridLines(left: number, top: number, cell: number, classes: number, ink: string): SVGPathElement {
  const side = classes * cell;
  const lines = Array.from({ length: classes + 1 }, (_, at) => [
    `M${left} ${top + at * cell}h${side}`,
    `M${left + at * cell} ${top}v${side}`,
  ]).flat();
  return svg('path', { d: lines.join(''), fill: 'none', ...thin(ink) });
}

function thin(ink: string): Record<string, string | number> {
  return { stroke: ink, 'stroke-width': 0.5, 'stroke-opacity': 0.4 };
}

function centered(x: number, y: number, content: string, cell: number, fill: string, bold: boolean): SVGTextElement {
  const size = Math.min(font, smallFont, (cell - 4) / Math.max(1, content.length * 0.6));
  return svg(
    'text',
    {
      ...{ x, y: y + size / 3, fill, 'font-size': Math.round(size * 10) / 10, 'text-anchor': 'middle' },
      'font-weight': bold ? 'bold' : 'normal',
    },
    [content],
  );
}

const measure = document.createElement('canvas').getContext('2d');

function textWidth(content: string, size: number): number {
  if (measure === null) return content.length * size * 0.6;
  measure.font = `${size}px sans-serif`;
  return measure.measureText(content).width;
}
