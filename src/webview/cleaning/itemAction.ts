/** What can be done with an image. */
export type ItemAction = 'accept' | 'keep' | 'putAside' | 'otherClass' | 'open';
