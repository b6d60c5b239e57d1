import { exportedNames } from '../../../protocol/exportFormat.ts';
import { type ExportDescription, inComment, inputShape, quoted, shownClasses } from './description.ts';
import { planes } from './nodeScript.ts';

/** A page for a browser that classifies the images that are chosen or dropped, and sends them nowhere. */
export function browserPage(description: ExportDescription): string {
  const { model, labels, input } = description;
  const { pixels, probabilities, rejected } = exportedNames;
  return `<!doctype html>
<!--
Classifies images with ${inComment(model)} in the browser; images are sent nowhere.

npm install onnxruntime-web
and open this page by a web server in this folder, such as: npx serve
-->
<html lang="en">
  <meta charset="utf-8" />
  <title>${inComment(model)}</title>
  <p><label>Images <input type="file" accept="image/*" multiple /></label></p>
  <pre role="status">Loading…</pre>
  <script type="module">
    import * as ort from './node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs';

    const fetched = async (name) => {
      const response = await fetch(encodeURIComponent(name));
      if (!response.ok) throw new Error(name + ' is not beside this page');
      return response;
    };
    const status = document.querySelector('pre');
    const labels = await (await fetched(${quoted(labels)})).json();
    const session = await ort.InferenceSession.create(await (await fetched(${quoted(model)})).arrayBuffer());

    /** The probabilities of an image's classes, and whether it is none of them. */
    async function classify(file) {
      const bitmap = await createImageBitmap(file);
      const { width, height } = bitmap;
      const context = new OffscreenCanvas(width, height).getContext('2d');
      context.drawImage(bitmap, 0, 0);
      const { data } = context.getImageData(0, 0, width, height);
      const rgb = Uint8Array.from({ length: 3 * width * height }, (_, at) => data[4 * Math.floor(at / 3) + (at % 3)]);
      const pixels = new ort.Tensor('uint8', ${input === 'nchw' ? 'planes(rgb, width * height)' : 'rgb'}, ${inputShape(description)});
      const { ${probabilities}, ${rejected} } = await session.run({ ${pixels}: pixels });
      return { probabilities: [...probabilities.data], rejected: Boolean(${rejected}?.data[0]) };
    }
${input === 'nchw' ? planes.replace(/^(?=.)/gmu, '    ') : ''}
    globalThis.classify = classify;
    status.textContent = 'Choose images.';
    document.querySelector('input').addEventListener('change', async ({ target }) => {
      const lines = [];
      for (const file of target.files) {
        const { probabilities, rejected } = await classify(file);
        const best = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a]);
        const classes = best.slice(0, ${shownClasses}).map((index) => labels[index].name + ' ' + probabilities[index].toFixed(3));
        lines.push(file.name + ': ' + (rejected ? 'none of these; ' : '') + classes.join(', '));
        status.textContent = lines.join('\\n');
      }
    });
  </script>
</html>
`;
}
