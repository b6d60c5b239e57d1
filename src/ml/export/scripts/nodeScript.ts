import { exportedNames } from '../../../protocol/exportFormat.ts';
import { type ExportDescription, inComment, inputShape, quoted, shownClasses } from './description.ts';

/** A program for Node that classifies images with an exported file. */
export function nodeScript(description: ExportDescription): string {
  const { model, labels, input } = description;
  const { pixels, probabilities, rejected } = exportedNames;
  return `// Classifies images with ${inComment(model)}.
//
// npm install onnxruntime-node sharp
// node THIS_FILE IMAGE...
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const beside = (name) => fileURLToPath(new URL(encodeURIComponent(name), import.meta.url));
const session = await InferenceSession.create(beside(${quoted(model)}));
const labels = JSON.parse(readFileSync(beside(${quoted(labels)}), 'utf8'));

/** The probabilities of an image's classes, and whether it is none of them. */
export async function classify(file) {
  const image = sharp(file).autoOrient().removeAlpha().toColourspace('srgb');
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const pixels = new Tensor('uint8', ${input === 'nchw' ? 'planes(data, width * height)' : 'new Uint8Array(data)'}, ${inputShape(description)});
  const { ${probabilities}, ${rejected} } = await session.run({ ${pixels}: pixels });
  return { probabilities: [...probabilities.data], rejected: Boolean(${rejected}?.data[0]) };
}
${input === 'nchw' ? planes : ''}
for (const image of process.argv.slice(2)) {
  try {
    const { probabilities, rejected } = await classify(image);
    const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, ${shownClasses});
    const classes = best.map((index) => ({ ...labels[index], probability: probabilities[index] }));
    console.log(JSON.stringify({ image, rejected, classes }));
  } catch (error) {
    // sharp reads fewer formats than Fivecrop: no BMP, for one.
    const advice = error.message.includes('unsupported') ? ': save it as JPEG or PNG' : '';
    console.log(JSON.stringify({ image, error: error.message + advice }));
    process.exitCode = 1;
  }
}
`;
}

/** In JavaScript: pixel by pixel to plane by plane. */
export const planes = `
/** RGB pixel by pixel as three planes. */
function planes(data, plane) {
  return Uint8Array.from({ length: 3 * plane }, (_, at) => data[3 * (at % plane) + Math.floor(at / plane)]);
}
`;
