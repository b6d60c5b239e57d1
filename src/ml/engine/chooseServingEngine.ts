import { besideEventLoop } from './besideEventLoop.ts';
import { type ChosenEngine, chooseEngine, type EngineWish } from './chooseEngine.ts';
import { onnxEngineInLanes } from './onnxruntime/onnxEngine.ts';

/** Chooses what serves: as `chooseEngine`, and so that requests are read while it computes where that can be. */
export async function chooseServingEngine(wish: EngineWish): Promise<ChosenEngine> {
  return besideEventLoop(await chooseEngine(wish), {
    aside: onnxEngineInLanes,
    otherwise: 'requests wait while images are computed',
    log: wish.log,
  });
}
