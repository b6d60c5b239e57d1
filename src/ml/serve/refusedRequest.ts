/** A request that is not answered as asked. `message` is the sentence that its answer holds. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest';
  /** HTTP’s status code, from 400 on. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function refused(status: number, message: string): RefusedRequest {
  return new RefusedRequest(status, message);
}

/** There is too much to do just now: the same request may be answered a little later. */
export function busy(): RefusedRequest {
  return refused(503, 'The server is busy; try again in a moment.');
}

export function stopping(): RefusedRequest {
  return refused(503, 'The server is stopping.');
}
