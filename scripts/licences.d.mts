/** The licences of the packages that `files`, relative to `root`, come from. */
export function licencesOf(root: string, files: readonly string[], heading: string): string;
