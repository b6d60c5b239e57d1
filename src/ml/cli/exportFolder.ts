import { join } from 'node:path';
import { writeAtomically, writeTextAtomically } from '../../runs/atomicFile.ts';
import { readEvaluations, timeWritten } from '../../runs/evaluations.ts';
import { makeNewFolder } from '../../runs/newFolder.ts';
import { tensorflowPage, tensorflowScript } from '../export/scripts/tensorflowScript.ts';
import { tensorflowModel } from '../export/tensorflow/tensorflowModel.ts';
import { timmModel } from '../export/timmModel.ts';
import { modelCard } from '../results/modelCard.ts';
import { writeSafetensors } from '../weights/safetensors.ts';
import type { Output } from './output.ts';

/** Names of files that model hubs, timm and transformers look for in a model's folder. */
const files = { weights: 'model.safetensors', config: 'config.json', card: 'README.md' } as const;

/** Writes a checkpoint as a folder that timm and transformers load. */
export async function exportTimm(file: string, out: string, output: Output): Promise<void> {
  const { config, state, metadata } = await timmModel(file);
  const written = (await timeWritten(file)) ?? '';
  const evaluations = (await readEvaluations(file, output.say)).filter(({ time }) => time >= written);
  await makeNewFolder(out, 'the model', async (folder) => {
    await writeSafetensors(join(folder, files.weights), state, { format: 'pt' });
    await writeTextAtomically(join(folder, files.config), `${JSON.stringify(config, undefined, 2)}\n`);
    await writeTextAtomically(join(folder, files.card), modelCard({ metadata, evaluations }));
  });
  output.object({ folder: out, files: Object.values(files), architecture: config.architecture });
  output.say(`Wrote ${out}: ${config.architecture}, which timm and transformers load. Its ${files.card} shows how.`);
}

/** Writes a checkpoint as a folder with a graph model of TensorFlow.js, a module that classifies with it, and a page. */
export async function exportTensorflow(file: string, out: string, crops: 1 | 5, output: Output): Promise<void> {
  const model = await tensorflowModel(file, crops);
  const contents = new Map<string, Uint8Array | string>([
    ['model.json', JSON.stringify(model.json)],
    ...model.shards,
    ['classify.js', tensorflowScript],
    ['index.html', tensorflowPage],
  ]);
  await makeNewFolder(out, 'the model', async (folder) => {
    for (const [name, content] of contents) {
      await writeAtomically(join(folder, name), (handle) => handle.writeFile(content));
    }
  });
  output.object({ folder: out, files: [...contents.keys()], crops: model.crops });
  output.say(`Wrote ${out}: a graph model of TensorFlow.js. Its classify.js prepares images and classifies them, its index.html shows it.`); // prettier-ignore
}
