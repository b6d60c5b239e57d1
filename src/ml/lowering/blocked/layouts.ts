import type { Node } from '../../graph/graph.ts';

/** Which part of a graph computes on blocked images (blockedLayout.ts). */
export interface Layouts {
  readonly nodes: ReadonlySet<Node>;
  /** The images that those nodes make, which are held in blocks. */
  readonly images: ReadonlySet<string>;
  /** The parameters that convolutions among them read, which can be held in blocks too. */
  readonly kernels: ReadonlySet<string>;
}
