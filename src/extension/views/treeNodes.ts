import type { QueuedRun } from '../trainer/queuedRuns.ts';

/** What the rows of the *Checkpoints* view stand for; commands of their context menus get one of these. */
export type RunNode = { readonly kind: 'run'; readonly folder: string };
export type CheckpointNode = { readonly kind: 'checkpoint'; readonly folder: string; readonly path: string };
export type QueuedNode = { readonly kind: 'queued'; readonly entry: QueuedRun };
export type UnreadableNode = { readonly kind: 'unreadable'; readonly folder: string; readonly reason: string };
/** A sweep; the runs of its trials lie below it. */
export type SweepNode = { readonly kind: 'sweep'; readonly folder: string };
export type CheckpointsNode = SweepNode | RunNode | CheckpointNode | QueuedNode | UnreadableNode;

/** What a click on a run's row tells *Show Run*: the row keeps the focus, so that F2 and Delete mean it. */
export const fromRow = 'row';

/** What the rows of the *Data* view stand for. */
export type DataFolderNode = { readonly kind: 'data'; readonly folder: string };
export type SplitNode = {
  readonly kind: 'split';
  readonly folder: string;
  readonly data: string;
  readonly name: string;
};
export type ClassNode = {
  readonly kind: 'class';
  readonly folder: string;
  readonly data: string;
  readonly name: string;
};
export type ImageNode = { readonly kind: 'image'; readonly path: string; readonly folder: string };
export type MoreNode = { readonly kind: 'more'; readonly folder: string; readonly label: string };
export type DataNode = DataFolderNode | SplitNode | ClassNode | ImageNode | MoreNode;

/** The node that a context menu hands to a command; undefined where it came from elsewhere. */
export function nodeFrom(argument: unknown): CheckpointsNode | DataNode | undefined {
  const isNode = typeof argument === 'object' && argument !== null && 'kind' in argument;
  return isNode && typeof argument.kind === 'string' ? (argument as CheckpointsNode | DataNode) : undefined;
}

/** What the key bindings of the view give to a command: it is about the rows with the focus. */
export function isByKey(argument: unknown): boolean {
  return typeof argument === 'object' && argument !== null && 'rows' in argument;
}
