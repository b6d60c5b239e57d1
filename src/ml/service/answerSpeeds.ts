import { cancelled } from '../../protocol/errors.ts';
import type { RequestContext } from '../../protocol/requestChannel.ts';
import type { ServiceRequestBody } from '../../protocol/serviceProtocol.ts';
import { chooseEngine, deviceFingerprint } from '../engine/chooseEngine.ts';
import { measureNetwork } from '../inference/measureNetwork.ts';
import { recallSpeeds, rememberSpeeds } from '../inference/networkSpeeds.ts';
import { namedNetwork } from '../networks/registry.ts';

type SpeedsRequest = Extract<ServiceRequestBody, { type: 'speeds' }>;

/** Answers how fast networks are on what the settings choose, and keeps what it measures. Throws a cancellation. */
export async function answerSpeeds(
  { networks, measure, engine: engineName, device: deviceName }: SpeedsRequest,
  { signal, answer }: RequestContext,
): Promise<void> {
  const log = (message: string) => answer({ type: 'log', level: 'info', message });
  const placement = await chooseEngine({ engine: engineName, device: deviceName, log });
  const { engine, device } = placement;
  const fingerprint = deviceFingerprint();
  const known = await recallSpeeds(fingerprint);
  const unknown = networks.filter((network) => {
    const speed = known[network];
    if (speed?.headPerSecond === undefined || speed.engine !== engine.name || speed.device !== device) return true;
    const { imagesPerSecond, headPerSecond } = speed;
    answer({ type: 'speed', network, imagesPerSecond, headPerSecond });
    return false;
  });
  if (!measure) return;
  for (const network of unknown) {
    if (signal.aborted) throw cancelled();
    const speed = await measureNetwork(namedNetwork(network), placement, signal);
    await rememberSpeeds(fingerprint, { [network]: { ...speed, engine: engine.name, device } });
    log(`${network}: ${speed.imagesPerSecond.toFixed(1)} images per second with ${engine.name} on ${device}`);
    answer({ type: 'speed', network, ...speed });
  }
}
