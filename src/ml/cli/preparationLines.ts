/** Progress of something before the work itself, such as a download. */
export interface PreparationProgress {
  readonly what: string;
  readonly done: number;
  readonly total: number | undefined;
}

/** Says at every tenth how far something is: a line when it begins, and none for each of its thousand parts. */
export function preparationLines(line: (text: string) => void): (progress: PreparationProgress) => void {
  let said = '';
  return ({ what, done, total }) => {
    const tenth = total ? Math.floor((done / total) * 10) * 10 : undefined;
    const now = tenth === undefined ? `${what} …` : `${what}: ${tenth} %`;
    if (now === said) return;
    said = now;
    line(now);
  };
}
