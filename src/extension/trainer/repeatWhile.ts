/** Calls `work` every `interval` milliseconds for as long as what it returned was last told that this is wanted. */
export function repeatWhile(interval: number, work: () => void): (wanted: boolean) => void {
  let timer: NodeJS.Timeout | undefined;
  return (wanted) => {
    if (wanted) timer ??= setInterval(work, interval).unref();
    else {
      clearInterval(timer);
      timer = undefined;
    }
  };
}
