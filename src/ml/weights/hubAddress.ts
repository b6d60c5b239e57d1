import process from 'node:process';

const publicHub = 'https://huggingface.co';

/** Address of the hub, without a slash at its end: the public one, or what `HF_ENDPOINT` names in its place. */
export function hubAddress(environment: NodeJS.ProcessEnv = process.env): string {
  const set = environment['HF_ENDPOINT']?.trim().replace(/\/+$/u, '') ?? '';
  return /^https?:\/\//iu.test(set) && URL.canParse(set) ? set : publicHub;
}

/** Whether an address is one of the hub's. */
export function isAtHub(address: URL): boolean {
  return address.origin === new URL(hubAddress()).origin;
}

/** An address of the public hub as one of the hub that is in use; any other as it is. */
export function atHub(url: string): string {
  return url.startsWith(`${publicHub}/`) ? `${hubAddress()}${url.slice(publicHub.length)}` : url;
}

/** The name of the server in an address. */
export function hostOf(url: string): string {
  return new URL(url).host;
}
