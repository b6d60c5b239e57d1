/** What the editor says of pretrained weights that cannot be had: `reason`, a sentence, and what to do. */
export function weightsAdviceForEditor(reason: string): string {
  const file = 'put the file into the weights folder (fivecrop.weightsFolder)';
  return joined(reason, `name a mirror in the settings (fivecrop.weightsMirror) or ${file}`);
}

/** The same for the shell; `folder` is where weights are looked for. */
export function weightsAdviceForShell(reason: string, folder: string): string {
  const file = `put the file into ${folder} (FIVECROP_WEIGHTS names another folder) or give it with --weights`;
  return joined(reason, `name a mirror with FIVECROP_MIRROR, ${file}`);
}

function joined(reason: string, advice: string): string {
  return `${reason.replace(/\.$/u, '')}; ${advice}.`;
}
