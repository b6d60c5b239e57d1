import process from 'node:process';
import { answerRequests } from '../../protocol/requestChannel.ts';
import { createServiceHandler } from './serviceHandler.ts';

/**
 * The service process: does for whoever forked it what needs pixels or tensors but is no training, over the process's own
 * channel; see `serviceProtocol.ts`. It ends when its parent does.
 */
function main(): void {
  if (!process.send) {
    console.error('The service is started by the editor, with a channel to it. Use the fivecrop command in a shell.');
    process.exitCode = 2;
    return;
  }
  process.on('disconnect', () => process.exit(0));
  process.on(
    'message',
    answerRequests(
      createServiceHandler(),
      (answer) => {
        // A parent that has gone is told by `disconnect`.
        process.send?.(answer, undefined, undefined, () => undefined);
      },
      (problem) => console.error(problem),
    ),
  );
}

main();
