// Kills a small run at every operation on its files, before it and, of a write, in its middle, and resumes each:
// `node --import tsx test/faults/killEverywhere.ts [AT_ONCE]`.
import { rm } from 'node:fs/promises';
import { messageOf } from '../../src/protocol/errors.ts';
import { drawTinyDataset } from '../unit/training/tinyDataset.ts';
import { assertSurvives } from './killedRun.ts';
import { temporaryFolder, unbroken } from './trainer.ts';

const [atOnce = 2] = process.argv.slice(2).map(Number);
const folder = await temporaryFolder();
const data = await drawTinyDataset(folder);
const expected = await unbroken(data, folder);
const points = expected.operations.flatMap((operation, index) => [
  { at: index + 1, kind: 'kill' as const },
  ...(operation.startsWith('write ') ? [{ at: index + 1, kind: 'torn' as const }] : []),
]);
// A tensor is like another: their writes come last.
const isTensor = ({ at }: (typeof points)[number]) => /^write .*safetensors/u.test(expected.operations[at - 1] ?? '');
points.sort((a, b) => Number(isTensor(a)) - Number(isTensor(b)));
console.log(`${expected.operations.length} operations, ${points.length} kills`);
let [done, failed] = [0, 0];
const work = async (): Promise<void> => {
  for (let point = points.shift(); point !== undefined; point = points.shift()) {
    try {
      await assertSurvives(data, folder, point, expected);
    } catch (error) {
      failed++;
      console.log(messageOf(error));
    }
    if (++done % 20 === 0) console.log(`${done} done, ${failed} failed`);
  }
};
await Promise.all(Array.from({ length: atOnce }, work));
console.log(`${done} kills, ${failed} of which did not end as an unbroken run`);
if (failed === 0) await rm(folder, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
