import { UserError, userError } from '../protocol/errors.ts';
import { visible } from '../protocol/visibleText.ts';
import { notice, type PreparedCall, type Tool } from './tool.ts';

/** Longest text in a result, in characters. */
const longestText = 1000;
/** Longest result as JSON, in characters: what is longer fills a model's memory, or is cut off by its client. */
const longestResult = 250_000;
/** Digits of a figure. */
const digits = 5;

/**
 * Does what was prepared. The result holds no character that a terminal or a chat would obey, and no text of any length.
 * Throws a user error for a result that is longer than any should be.
 */
export async function resultOf(
  { name, output }: Pick<Tool, 'name' | 'output'>,
  call: PreparedCall,
): Promise<Record<string, unknown>> {
  const result = output.parse(plain({ ...(await call.run()), notice }));
  const { length } = JSON.stringify(result);
  if (length <= longestResult) return result;
  throw userError(`The result of ${name} has ${length} characters, and ${longestResult} are told at most: ask for less of it, with a smaller limit.`); // prettier-ignore
}

/** A failure as one sentence for the model; of a bug of ours it only learns that there is one. */
export function failureSentence(error: unknown): string {
  if (error instanceof UserError) return plainText(error.message);
  return 'Fivecrop failed unexpectedly: tell the user to look at its log.';
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return plainText(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value : Number(value.toPrecision(digits));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, own]) => (own === undefined ? [] : [[key, plain(own)]])),
  );
}

export function plainText(text: string): string {
  return visible(text.length > longestText ? `${text.slice(0, longestText)}…` : text);
}
