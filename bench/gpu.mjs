// What the graphics card of this machine does, beside torch: `node bench/gpu.mjs [--device NAME] [--software]`; see gpu.ts.
import { register } from 'tsx/esm/api';

register();
await import('./gpu.ts');
