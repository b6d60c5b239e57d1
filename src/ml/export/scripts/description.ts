import type { ExportForm } from '../../../protocol/exportFormat.ts';

/** What the ready scripts beside an exported file are generated from. */
export interface ExportDescription {
  /** Names of the exported file and of the file of its labels, which lie in one folder. */
  readonly model: string;
  readonly labels: string;
  readonly input: ExportForm['input'];
}

/** Classes of each image that a script prints. */
export const shownClasses = 5;

/** The shape of one image, in JavaScript. */
export function inputShape({ input }: ExportDescription): string {
  return input === 'nchw' ? '[1, 3, height, width]' : '[height, width, 3]';
}

/** A file's name in a comment, where it can end nothing. */
export function inComment(name: string): string {
  return name.replaceAll(/[^\p{L}\p{N} ._()-]|-(?=-)/gu, '_');
}

/** A file's name as a string of Python, JavaScript, and JavaScript in HTML. */
export function quoted(name: string): string {
  return JSON.stringify(name).replaceAll('<', '\\u003c');
}
