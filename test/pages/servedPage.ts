import { createDecodePool } from '../../src/ml/data/decodePool.ts';
import { limitsOf } from '../../src/ml/serve/serveLimits.ts';
import { startServer } from '../../src/ml/serve/startServer.ts';
import { colourClassifier } from '../unit/inference/fakeClassifier.ts';

export const servedToken = 'a-token-for-this-test';
/** What the model’s file and its likeliest class for red are called. */
export const hostileName = '<img src=x onerror="document.title=1">';

/** `fivecrop serve` with a classifier that tells colours, whose names are markup. */
export async function serveHostileNames(): Promise<{ readonly address: string; stop(): Promise<void> }> {
  const pool = createDecodePool(1);
  const colours = colourClassifier();
  const labels = colours.labels.map((label) => (label.name === 'red' ? { ...label, name: hostileName } : label));
  const server = await startServer(
    { ...colours, title: `/home/somebody/demo/checkpoints/${hostileName}`, labels },
    {
      host: '127.0.0.1',
      port: 0,
      token: servedToken,
      cropCount: 5,
      pool,
      limits: limitsOf({ megabytes: 1, images: 4, waitingImages: 4 }),
      log: () => undefined,
    },
  );
  const stop = async () => {
    await server.stop();
    await pool.dispose();
  };
  return { address: server.address, stop };
}
