import { Option } from 'commander';
import { openWebhook, type Webhook, webhookVariable } from '../webhook/webhook.ts';
import type { OptionValues } from './configFlags.ts';

/** `--webhook`, or the environment variable; the latter keeps a secret in the address out of the list of processes. */
export function webhookOption(): Option {
  return new Option('--webhook <url>', 'an http or https address that gets a JSON message at the end')
    .env(webhookVariable)
    .argParser((given: string) => (given.trim() === '' ? undefined : openWebhook(given.trim())));
}

export function webhookFrom({ webhook }: OptionValues): { readonly webhook?: Webhook } {
  return isWebhook(webhook) ? { webhook } : {};
}

function isWebhook(value: unknown): value is Webhook {
  return typeof value === 'object' && value !== null && 'tell' in value;
}
