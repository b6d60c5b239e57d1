/** Where programs, pages, tests and measurements begin: `npm run lint:unused` finds what none of them needs. */
export default {
  entry: [
    'src/extension/{main,startExtension}.ts',
    'src/ml/{cli,library,trainer,service}/main.ts',
    'src/ml/data/{decodeWorker,magickWorker}.ts',
    'src/ml/data/kernels/pixels.ts',
    'src/ml/engine/onnxruntime/kernels/updates.ts',
    'src/webview/*/main.ts',
    'test/**/*.test.ts',
    'test/extension/{index,runTests}.ts',
    'test/faults/{killEverywhere,killedRun}.ts',
    'test/integration/engine/{askedProcess,endedInARun,withoutExternalBuffers}.ts',
    'test/parity/{loadFolder,webgpuChild}.ts',
    'bench/{main,recipes,labelOrder,eightBits,writeTable}.ts',
    'bench/gpu.mjs',
    'bench/{cases,ours}/*.ts',
    'examples/*.ts',
    'scripts/*.{ts,mjs}',
    'scripts/host/desktopShim.{ts,mjs}',
    'scripts/host/plainLogger.cjs',
  ],
  project: ['src/**/*.ts', 'examples/*.ts', 'test/**/*.ts', 'bench/**/*.{ts,mjs}', 'scripts/**/*.{ts,mjs,cjs}'],
  ignoreExportsUsedInFile: true,
  // scripts/compileKernels.mjs and scripts/jpegLibrary.mjs find them by the path of a file inside.
  ignoreDependencies: ['assemblyscript', '@julusian/jpeg-turbo'],
  // Programs of the system that tests run.
  ignoreBinaries: ['mkfifo', 'mount', 'optuna', 'taskset', 'umount', 'unshare'],
};
