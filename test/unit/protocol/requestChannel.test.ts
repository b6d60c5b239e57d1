import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError, UserError, userError } from '../../../src/protocol/errors.ts';
import { answerRequests, createRequests, type RequestHandler } from '../../../src/protocol/requestChannel.ts';
import type { ServiceAnswerBody } from '../../../src/protocol/serviceProtocol.ts';

const request = { type: 'devices' } as const;

/** Both ends of a channel, joined. */
function channel(handle: RequestHandler) {
  const problems: string[] = [];
  const report = (problem: string) => problems.push(problem);
  const requests = createRequests((message) => {
    answering(message);
  }, report);
  const answering = answerRequests(handle, (answer) => requests.take(answer), report);
  return { requests, problems, answering };
}

test('a request has its answers, and ends with the work', async () => {
  const { requests, problems } = channel(async (body, { answer }) => {
    assert.deepEqual(body, request);
    answer({ type: 'log', level: 'info', message: 'one' });
    await Promise.resolve();
    answer({ type: 'log', level: 'info', message: 'two' });
  });
  const heard: ServiceAnswerBody[] = [];
  await requests.ask(request, { onAnswer: (answer) => heard.push(answer) });
  assert.deepEqual(
    heard.map((answer) => answer.type === 'log' && answer.message),
    ['one', 'two'],
  );
  assert.deepEqual([requests.pending, problems], [false, []]);
});

test('a user’s error, a cancellation and a bug come out as what they were, and a bug’s stack is reported', async () => {
  const failing = (error: Error) => channel(() => Promise.reject(error));
  await assert.rejects(failing(userError('Choose another.')).requests.ask(request, {}), UserError);
  const bug = failing(new Error('undefined is not a function'));
  await assert.rejects(bug.requests.ask(request, {}), (error) => error instanceof Error && !(error instanceof UserError)); // prettier-ignore
  assert.match(bug.problems.join('\n'), /undefined is not a function\n\s+at /u);
});

test('an abort reaches the work, which ends cancelled; what it still says is not heard', async () => {
  const { requests } = channel(
    (_, { signal, answer }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve();
          setImmediate(() => answer({ type: 'log', level: 'info', message: 'late' }));
        });
      }),
  );
  const controller = new AbortController();
  const heard: ServiceAnswerBody[] = [];
  const asked = requests.ask(request, { signal: controller.signal, onAnswer: (answer) => heard.push(answer) });
  assert.equal(requests.pending, true);
  controller.abort();
  await assert.rejects(asked, CancelledError);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, []);
  await assert.rejects(requests.ask(request, { signal: AbortSignal.abort() }), CancelledError);
});

test('what is no request or no answer is passed over and reported, and a channel that ends rejects what is asked', async () => {
  const { requests, problems, answering } = channel(() => new Promise(() => undefined));
  const asked = requests.ask(request, {});
  answering({ id: 0, request });
  answering('nonsense');
  requests.take({ id: 0, answer: { type: 'nonsense' } });
  assert.equal(problems.length, 3);
  requests.fail(userError('The process ended.'));
  await assert.rejects(asked, /The process ended\./u);
});
