import { messageOf } from '../../protocol/errors.ts';
import { engines } from './engines.ts';
import { selfCheck } from './selfCheck.ts';

/*
 * The entry of the probe process, `probeDevice` of probeDevice.ts starts it: argv names an engine and a device; the
 * answer goes back as one message. A driver that takes its process down takes this one.
 */
const [engineName, device = ''] = process.argv.slice(2);

async function answer(): Promise<object> {
  const engine = engines.find(({ name }) => name === engineName);
  if (!engine) return { error: `there is no engine named ${String(engineName)}` };
  try {
    const { difference, lossDifference, secondsPerStep } = await selfCheck(engine, device);
    const known = (value: number) => (Number.isFinite(value) ? value : null);
    return { difference: known(difference), lossDifference: known(lossDifference), secondsPerStep };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

const message = await answer();
process.send?.(message, () => process.exit(0));
