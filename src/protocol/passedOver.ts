/** Files and folders that systems put beside people's own, in lower case; what begins with a dot is one anyway. */
const systemNames: ReadonlySet<string> = new Set([
  'thumbs.db',
  'ehthumbs.db',
  'ehthumbs_vista.db',
  'desktop.ini',
  'icon\r',
  'lost+found',
  '$recycle.bin',
  'system volume information',
  '__macosx',
  'network trash folder',
  'temporary items',
  // Thumbnails, wastebaskets and snapshots of network disks.
  '@eadir',
  '@tmp',
  '@recycle',
  '@recently-snapshot',
  '#recycle',
  '#snapshot',
]);

/** Whether a file or folder is none of the user's images by its name: hidden, or made by a system for itself. */
export function isPassedOver(name: string): boolean {
  return name.startsWith('.') || systemNames.has(name.toLowerCase());
}
