import { getProxyForUrl } from 'proxy-from-env';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { userError } from '../../protocol/errors.ts';

const direct = new Agent();
const proxies = new Map<string, ProxyAgent>();

/**
 * Connections by the proxy that the environment names for an address; direct ones where it names none. Throws a user error
 * for a proxy that is none.
 */
export function connectionsTo({ href }: URL): Dispatcher {
  const address = getProxyForUrl(href);
  if (address === '') return direct;
  try {
    const proxy = proxies.get(address) ?? new ProxyAgent(address);
    proxies.set(address, proxy);
    return proxy;
  } catch (error) {
    throw userError(
      'The environment names a proxy that is not an address such as http://proxy.example:8080: correct HTTPS_PROXY or HTTP_PROXY.',
      error,
    );
  }
}
