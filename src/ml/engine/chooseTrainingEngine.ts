import { besideEventLoop } from './besideEventLoop.ts';
import { type ChosenEngine, chooseEngine, type EngineWish } from './chooseEngine.ts';
import { onnxEngineAside } from './onnxruntime/onnxEngine.ts';

/** Chooses what trains: as `chooseEngine`, and so that it leaves the event loop alone where that can be. */
export async function chooseTrainingEngine(wish: EngineWish): Promise<ChosenEngine> {
  return besideEventLoop(await chooseEngine(wish), {
    aside: onnxEngineAside,
    otherwise: 'Stop and Pause are heard after each step',
    log: wish.log,
  });
}
