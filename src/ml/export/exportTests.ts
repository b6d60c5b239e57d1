import { deflateSync } from 'node:zlib';
import type { ExportTest } from '../../protocol/exportFormat.ts';
import { decodeImage } from '../data/decodeImage.ts';
import { evenlySpaced } from '../data/evenlySpaced.ts';
import { cropImage } from '../data/fiveCrops.ts';
import { resize } from '../data/resize.ts';
import { resizedSize, type RgbImage } from '../data/rgbImage.ts';
import { createRandom } from '../graph/random.ts';
import { calibrated } from '../inference/calibrated.ts';
import type { Classifier } from '../inference/classifier.ts';
import { probabilityRows } from '../inference/predictImages.ts';
import { meanProbabilities } from '../inference/ranking.ts';

/** How many test images an export has where nothing else is asked for. */
export const usualTests = 16;
/** More would make the export large. */
export const mostTests = 256;

/** How many test images there are to be, and whether those of the data may be among them. */
export interface WantedTests {
  readonly count: number;
  readonly ofData: boolean;
}

/** Long side of the images of the data that go into an export, in pixels. */
const testSide = 80;

export interface TestImage {
  readonly kind: ExportTest['kind'];
  readonly image: RgbImage;
}

/**
 * `count` images to test an export with: small copies of `files`, from all over the list, and synthetic ones, among them
 * the shapes that those lack: one larger than what it is resized to, one pixel alone, a narrow strip. Files that do not
 * decode are left out.
 */
export async function testImages(files: readonly string[], count: number, side: number): Promise<TestImage[]> {
  const images: TestImage[] = [];
  for (const file of evenlySpaced(files, Math.max(0, count - shapes(side).length))) {
    const image = await decodeImage(file, testSide, { fit: 'pad' }).catch(() => undefined);
    if (image) images.push({ kind: 'validation', image });
  }
  const missing = Math.max(0, count - images.length);
  const synthetic = Array.from({ length: missing }, (_, at): TestImage => ({
    kind: 'synthetic',
    image: drawn(at, side),
  }));
  return [...images, ...synthetic];
}

/** Width and height of the first synthetic images. */
function shapes(side: number): (readonly [number, number])[] {
  return [
    [side + 37, side + 8],
    [1, 1],
    [5, 90],
  ];
}

const patch = 12;

/** Patches of random colours, which compress well and have edges for the resize. */
function drawn(index: number, side: number): RgbImage {
  const random = createRandom(index, 'export test');
  const [width, height] = shapes(side)[index] ?? [24 + random.integer(70), 24 + random.integer(70)];
  const columns = Math.ceil(width / patch);
  const colours = Uint8Array.from({ length: 3 * columns * Math.ceil(height / patch) }, () => random.integer(256));
  const data = new Uint8Array(3 * width * height);
  for (let at = 0; at < data.length; at++) {
    const [row, column] = [Math.floor(at / (3 * width)), Math.floor(at / 3) % width];
    data[at] = colours[3 * (Math.floor(row / patch) * columns + Math.floor(column / patch)) + (at % 3)] ?? 0;
  }
  return { width, height, data };
}

/** The images with what a classifier says of each by so many crops. */
export async function withExpectations(
  images: readonly TestImage[],
  classifier: Classifier,
  crops: 1 | 5,
): Promise<ExportTest[]> {
  const tests: ExportTest[] = [];
  for (const { kind, image } of images) {
    const { width, height, data } = image;
    tests.push({
      kind,
      width,
      height,
      pixels: deflateSync(data, { level: 9 }).toString('base64'),
      probabilities: Array.from(await probabilitiesOf(classifier, image, crops), Math.fround),
    });
  }
  return tests;
}

/** As `predictImages` classifies a file. */
async function probabilitiesOf(
  classifier: Classifier,
  image: RgbImage,
  crops: 1 | 5,
): Promise<Float32Array | Float64Array> {
  const { resize: side, interpolation, fit, crop } = classifier.preprocessing;
  const { width, height } = resizedSize(image.width, image.height, { side, fit });
  const resized = { ...resize(image, width, height, interpolation), source: image };
  const rows = await probabilityRows(
    classifier,
    cropImage(resized, crop, crops, fit).map(({ pixels }) => pixels),
  );
  return calibrated(meanProbabilities(rows), classifier, rows.length);
}
