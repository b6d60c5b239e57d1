/** What a method trains, in words. */
export const methodWords = {
  head: 'a new head',
  top: 'the last tensors',
  lora: 'adapters',
  full: 'the whole network',
  scratch: 'from scratch',
} as const;
