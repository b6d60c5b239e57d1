import { besideEventLoop } from './besideEventLoop.ts';
import { type ChosenEngine, chooseEngine, type EngineWish } from './chooseEngine.ts';
import { onnxEngineAside, onnxEngineReplaying } from './onnxruntime/onnxEngine.ts';
import { throughLibrary } from './throughLibrary.ts';

/** Chooses what trains: as `chooseEngine`, and so that it leaves the event loop alone or replays its steps where that can be. */
export async function chooseTrainingEngine(wish: EngineWish): Promise<ChosenEngine> {
  const { log } = wish;
  const notReplayed = (reason: string) =>
    log(`Steps on WebGPU are run operator by operator, not recorded and replayed, which would be faster: ${reason}.`);
  const chosen = await throughLibrary(await chooseEngine(wish), {
    device: 'webgpu',
    make: () => onnxEngineReplaying(notReplayed),
    otherwise: notReplayed,
  });
  return besideEventLoop(chosen, {
    aside: onnxEngineAside,
    otherwise: 'Stop and Pause are heard after each step',
    log,
  });
}
