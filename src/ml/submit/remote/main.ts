import process from 'node:process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { messageOf } from '../../../protocol/errors.ts';
import { answerMark, type RemoteAnswer, remoteRequestSchema } from '../../../protocol/remoteMessages.ts';
import { diskError } from '../../../runs/diskError.ts';
import { answerRequest } from './answerRequest.ts';
import { startWord } from './job.ts';

// The program on a remote host. Asked over SSH, it takes requests on standard input, one a line, until that ends, and gives
// an answer to each on standard output. With the folder of a job as its argument it has the runs of that trained, with the
// folder of a run too it trains; what trains is loaded for that alone, since whoever asks waits for the answer.
const [, , job, run] = process.argv;
if (job === undefined) {
  for await (const request of createInterface({ input: process.stdin })) {
    process.stdout.write(`\n${answerMark}${JSON.stringify(await answered(request))}\n`);
  }
} else if (run !== undefined) await (await import('./trainOne.ts')).trainOne(job, run);
else if ((await text(process.stdin)) === startWord) await (await import('./workOn.ts')).workOn(job);

async function answered(request: string): Promise<RemoteAnswer> {
  try {
    return await answerRequest(remoteRequestSchema.parse(JSON.parse(request)));
  } catch (error) {
    return { answer: 'refused', message: messageOf(diskError(error, 'the folder of Fivecrop')) };
  }
}
