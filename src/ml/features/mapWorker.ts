import { parentPort, workerData } from 'node:worker_threads';
import { layOut, type LayoutTask } from './mapLayout.ts';

/** What the thread says: how far it is, then the places. */
export type MapAnswer = { readonly done: number; readonly total: number } | { readonly places: Float32Array };

/** The thread of `mapFeatures`. */
const say = (answer: MapAnswer) => parentPort?.postMessage(answer);

say({ places: layOut(workerData as LayoutTask, (done, total) => say({ done, total })) });
