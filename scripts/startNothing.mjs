// Loaded before unit tests: whatever starts a process or a worker, listens or connects throws from here on.
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import workerThreads from 'node:worker_threads';

function refuse(what) {
  return () => {
    throw new Error(`A unit test ${what}. Tests that do belong into test/integration.`);
  };
}

for (const name of ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync']) {
  childProcess[name] = refuse('starts a process');
}
const refuseWorker = refuse('starts a worker');
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options) {
    // What turns TypeScript into JavaScript has a worker of its own.
    if (!/[/\\]esbuild[/\\]/.test(String(file))) refuseWorker();
    super(file, options);
  }
};
net.Server.prototype.listen = refuse('listens on a socket');
net.Socket.prototype.connect = refuse('connects to a socket');
// Named imports see what was replaced.
syncBuiltinESMExports();
