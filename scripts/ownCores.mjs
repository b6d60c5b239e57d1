// Preloaded into files of tests that run beside each other: each takes a share of the cores for itself and all that it
// starts. ONNX Runtime's threads wait for each other without letting go of their cores: two files with as many threads as
// there are cores, each, take several times as long.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Tests of threads that work together, which have all cores. */
const withThreads = /[\\/]test[\\/]integration[\\/](?:data|engine|training[\\/](?:recipeResume|runProfile))\b/u;

/** A folder in which taken shares have folders, and all shares: lists of cores, as `0,2 1,3`. */
const { FIVECROP_SHARES: taken, FIVECROP_CORES: cores = '' } = process.env;
// What the file starts runs on its cores.
delete process.env.FIVECROP_SHARES;
if (taken !== undefined && !withThreads.test(process.argv[1] ?? '')) {
  const share = cores.split(' ').find((each) => takes(join(taken, each)));
  if (share !== undefined) execFileSync('taskset', ['-acp', share, String(process.pid)], { stdio: 'ignore' });
}

/** Whether nobody has it; it is given back when the process ends. */
function takes(share) {
  try {
    mkdirSync(share);
  } catch {
    return false;
  }
  process.on('exit', () => rmSync(share, { recursive: true, force: true }));
  return true;
}
