/** What the forms for WebGPU are fitted to. */
export interface WebgpuLimits {
  /** Workgroups that keep a graphics card busy. */
  readonly busyGroups: number;
  /** Bytes that what a kernel's taps see of all images may take at once. */
  readonly columnBytes: number;
  /** Up to so many elements, parameters are updated together, which takes fewer operators. */
  readonly joinedElements: number;
}

/** Those of a large graphics card. */
export const webgpuLimits: WebgpuLimits = { busyGroups: 1024, columnBytes: 2 ** 29, joinedElements: 2 ** 22 };
