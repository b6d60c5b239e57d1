/** What has ended. */
export type EndedWork = 'run' | 'study' | 'sweep';

/** The best score by the validation images, which chose it: no figure of images that chose nothing. */
export interface BestValidation {
  /** Name of the run that has it. */
  readonly run: string;
  readonly accuracy: number;
  readonly loss: number;
  readonly of: 'validation';
  /** How many images those are, where it is known. */
  readonly images?: number;
}

/** Body of the POST to a webhook: JSON in UTF-8. */
export interface WebhookMessage {
  readonly version: 1;
  readonly kind: EndedWork;
  readonly name: string;
  readonly state: 'finished' | 'stopped' | 'failed';
  /** Why it ended, in a sentence. */
  readonly reason: string;
  readonly best?: BestValidation;
  /** Of a study or a sweep: how many of its runs were trained as far as it wanted, and how many failed. */
  readonly runs?: { readonly finished: number; readonly failed: number };
  /** Seconds since this process began the work; what a run had taken before it was resumed is not in it. */
  readonly seconds: number;
  readonly host: string;
  /** All of it in one line, as chats show it. */
  readonly text: string;
}
