import { exportedNames } from '../../../protocol/exportFormat.ts';
import { type ExportDescription, inComment, inputShape, quoted } from './description.ts';
import { planes } from './nodeScript.ts';
import { pageParts } from './pageParts.ts';

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

    /** The probabilities of an image's classes, whether it is none of them, and how many channels a JPEG has. */
    async function classify(file) {
      const { imageData, channels } = await imageOf(file);
      const { data, width, height } = imageData;
      const rgb = Uint8Array.from({ length: 3 * width * height }, (_, at) => data[4 * Math.floor(at / 3) + (at % 3)]);
      const pixels = new ort.Tensor('uint8', ${input === 'nchw' ? 'planes(rgb, width * height)' : 'rgb'}, ${inputShape(description)});
      const { ${probabilities}, ${rejected} } = await session.run({ ${pixels}: pixels });
      return { probabilities: [...probabilities.data], rejected: Boolean(${rejected}?.data[0]), channels };
    }
${input === 'nchw' ? planes.replace(/^(?=.)/gmu, '    ') : ''}${pageParts}
    globalThis.classify = classify;
    status.textContent = 'Choose images.';
    listChosen(classify, labels);
  </script>
</html>
`;
}
