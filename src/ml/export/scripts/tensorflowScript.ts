import { pageParts } from './pageParts.ts';

/*
 * What lies ready beside a graph model of TensorFlow.js: a module that prepares images as Fivecrop does and classifies
 * them, and a page that uses it. The same for every model: all that tells models apart is in their metadata.
 */

/** The module `classify.js`. Resizing is Pillow's, to the last bit: see `data/resize.ts`. */
export const tensorflowScript = `// Classifies images with the model beside it. Works in browsers and in Node, with any backend of TensorFlow.js:
//
// const model = await tf.loadGraphModel('./model.json');
// const { probabilities, rejected } = classify(tf, model, imageData);

/** How much a pixel counts by its distance from an output's centre, and the distance from which on it does not. */
const filters = {
  bilinear: { radius: 1, share: (x) => Math.max(0, 1 - x) },
  bicubic: {
    radius: 2,
    share: (x) => (x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0),
  },
  lanczos: { radius: 3, share: (x) => (x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const one = 2 ** 22;

/** For each output position: the first input position that counts, and the weights from there on. */
function weightsOf(from, to, { radius, share }) {
  const scale = from / to;
  const width = Math.max(1, scale);
  return Array.from({ length: to }, (_, index) => {
    const centre = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - radius * width + 0.5));
    const end = Math.min(from, Math.trunc(centre + radius * width + 0.5));
    const shares = Array.from({ length: end - first }, (_, at) => share(Math.abs((first + at - centre + 0.5) / width)));
    const sum = shares.reduce((total, value) => total + value, 0);
    const weights = shares.map((value) => Math.trunc((value / sum) * one + (value < 0 ? -0.5 : 0.5)));
    return { first, weights };
  });
}

/** Resizes along one axis. Positions along it are \`step\` values apart, lines across it \`line\`. */
function resizeAxis(data, { from, to, lines, step, line, toStep, toLine }, filter) {
  const out = new Uint8ClampedArray(to * lines * 3);
  weightsOf(from, to, filter).forEach(({ first, weights }, position) => {
    for (let at = 0; at < lines; at++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = one / 2;
        for (let tap = 0; tap < weights.length; tap++) {
          sum += weights[tap] * data[at * line + (first + tap) * step + channel];
        }
        out[at * toLine + position * toStep + channel] = Math.floor(sum / one);
      }
    }
  });
  return out;
}

/** Resizes RGB pixels, rows first, rounded to 8 bits between, as Pillow does. */
function resize({ data, width, height }, toWidth, toHeight, interpolation) {
  const filter = filters[interpolation];
  const rows = { from: width, to: toWidth, lines: height, step: 3, line: 3 * width, toStep: 3, toLine: 3 * toWidth };
  const columns = { from: height, to: toHeight, lines: toWidth, step: 3 * toWidth, line: 3, toStep: 3 * toWidth, toLine: 3 };
  const narrowed = toWidth === width ? data : resizeAxis(data, rows, filter);
  return { width: toWidth, height: toHeight, data: toHeight === height ? narrowed : resizeAxis(narrowed, columns, filter) };
}

/** Where a crop of this size begins in the middle; halves go to the even neighbour. */
function middle(length, size) {
  if (length < size) return -Math.floor((size - length) / 2);
  const half = Math.floor((length - size) / 2);
  return (length - size) % 2 === 0 ? half : half + (half % 2);
}

/** RGB pixels of any size as the model takes them: [crops, size, size, 3]. */
export function prepare({ data, width, height }, { preprocessing, crops }) {
  const { resize: side, crop: size, fit = 'crop', interpolation = 'bilinear' } = preprocessing;
  const given = fit === 'pad' ? Math.max(width, height) : Math.min(width, height);
  const resized = (length) => (fit === 'squash' ? side : Math.max(1, Math.floor((length * side) / given)));
  const image = resize({ data, width, height }, resized(width), resized(height), interpolation);
  const [left, top, right, bottom] = [middle(image.width, size), middle(image.height, size), image.width - size, image.height - size];
  const places = [[left, top], [0, 0], [0, bottom], [right, bottom], [right, 0]].slice(0, crops);
  const pixels = new Int32Array(crops * size * size * 3);
  places.forEach(([x, y], crop) => {
    for (let row = Math.max(0, -y); row < Math.min(size, image.height - y); row++) {
      const start = Math.max(0, -x);
      const from = ((row + y) * image.width + start + x) * 3;
      const values = image.data.subarray(from, from + (Math.min(size, image.width - x) - start) * 3);
      pixels.set(values, ((crop * size + row) * size + start) * 3);
    }
  });
  return pixels;
}

/** The colours of an ImageData, or of any { data, width, height } with four bytes a pixel. */
function colours({ data, width, height }) {
  const rgb = new Uint8ClampedArray(3 * width * height);
  for (let at = 0; at < width * height; at++) rgb.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
  return { data: rgb, width, height };
}

/** The probabilities of an image's classes in the order of the labels, and whether it is none of them. */
export function classify(tf, model, imageData) {
  const about = model.metadata;
  const size = about.preprocessing.crop;
  const probabilities = tf.tidy(() => {
    const pixels = tf.tensor4d(prepare(colours(imageData), about), [about.crops, size, size, 3], 'int32');
    return [...model.execute({ pixels }, 'probabilities').dataSync()];
  });
  const rejected = about.threshold !== undefined && Math.max(...probabilities) < about.threshold;
  return { probabilities, rejected };
}
`;

/** The page \`index.html\`, which sends images nowhere. */
export const tensorflowPage = `<!doctype html>
<!--
Classifies images with the model beside it in the browser; images are sent nowhere.

npm install @tensorflow/tfjs
and open this page by a web server in this folder, such as: npx serve
-->
<html lang="en">
  <meta charset="utf-8" />
  <title>Classify images</title>
  <p><label>Images <input type="file" accept="image/*" multiple /></label></p>
  <p><button>Run the model’s own test images</button></p>
  <pre role="status">Loading…</pre>
  <script src="./node_modules/@tensorflow/tfjs/dist/tf.min.js"></script>
  <script type="module">
    import { classify } from './classify.js';

    const status = document.querySelector('pre');
    const model = await tf.loadGraphModel('./model.json');

    async function classifyFile(file) {
      const { imageData, channels } = await imageOf(file);
      return { ...classify(tf, model, imageData), channels };
    }

    /** A test image of proof.json as a canvas gives it. */
    async function testImage({ width, height, pixels }) {
      const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
      const rgb = new Uint8Array(await new Response(stream).arrayBuffer());
      const data = new Uint8ClampedArray(4 * width * height).fill(255);
      for (let at = 0; at < width * height; at++) data.set(rgb.subarray(3 * at, 3 * at + 3), 4 * at);
      return { data, width, height };
    }

    /** How far the test images are here from what is expected of them. */
    async function verify() {
      const { tests, tolerance } = await (await fetch('proof.json')).json();
      let largest = 0;
      for (const test of tests) {
        const { probabilities } = classify(tf, model, await testImage(test));
        const apart = test.probabilities.map((expected, index) => Math.abs(expected - probabilities[index]));
        largest = Math.max(largest, ...apart);
      }
      return { tests: tests.length, tolerance, largest, verified: tests.length > 0 && largest <= tolerance };
    }
${pageParts}
    globalThis.classify = classifyFile;
    globalThis.verify = verify;
    status.textContent = 'Choose images.';
    document.querySelector('button').addEventListener('click', async () => {
      status.textContent = 'Running the test images…';
      const { tests, tolerance, largest, verified } = await verify();
      const apart = 'probabilities differ by up to ' + largest.toExponential(1) + ', and ' + tolerance + ' is allowed.';
      status.textContent = (verified ? 'Verified by ' : 'Not verified by ') + tests + ' test images: ' + apart;
    });
    listChosen(classifyFile, model.metadata.labels);
  </script>
</html>
`;
