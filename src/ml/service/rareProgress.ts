import type { ServiceAnswerBody } from '../../protocol/serviceProtocol.ts';

/** Progress is answered this often at most, in milliseconds, and at the end. */
const interval = 100;

/** A listener for progress that answers seldom enough for eyes: the first time, at intervals, and when all is done. */
export function rareProgress(
  what: string,
  answer: (body: ServiceAnswerBody) => void,
  unit?: 'bytes',
): (done: number, total?: number) => void {
  let last = -Infinity;
  return (done, total) => {
    const now = Date.now();
    if (now - last < interval && done !== total) return;
    last = now;
    answer({ type: 'progress', what, done, ...(total === undefined ? {} : { total }), ...(unit && { unit }) });
  };
}
