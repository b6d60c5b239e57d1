// Classifies images with a run's best checkpoint: `node examples/classify.ts RUN IMAGE…`.
import { readFile } from 'node:fs/promises';
import { loadClassifier, UserError } from 'fivecrop';

const [run = '', ...images] = process.argv.slice(2);
try {
  const classifier = await loadClassifier(run, { device: 'cpu' });
  try {
    for await (const answer of classifier.classifyAll(images, { top: 1 })) {
      const said = 'error' in answer ? answer.error : (answer.mean[0]?.name ?? '');
      console.log(`${answer.image}: ${said}`);
    }
    // Bytes do as well as files.
    const [first] = images;
    if (first !== undefined) {
      const { width, height } = await classifier.classify(await readFile(first), { crops: 1 });
      console.log(`the first is ${width} × ${height} pixels`);
    }
  } finally {
    await classifier.dispose();
  }
} catch (error) {
  // What is wrong with a file, a setting or the machine is a sentence; everything else is a bug.
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
