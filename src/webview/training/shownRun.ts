import type { DrawnRun } from '../../charts/drawnRun.ts';
import type { ShownRun } from '../../protocol/trainingPanel.ts';

/** A run on the page: what the host says of it, its curves, and how they are drawn. */
export type PageRun = ShownRun & DrawnRun;
