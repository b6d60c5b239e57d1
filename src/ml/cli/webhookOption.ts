import { Option } from 'commander';
import { usageError } from '../../protocol/errors.ts';
import type { Submission, SubmitTarget } from '../submit/target.ts';
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

/** `--webhook` of jobs, which get it in their environment, as they get the variable of ours. */
export function jobWebhookOption(): Option {
  const text = `Slurm: an http or https address that gets a JSON message at the end of each run [${webhookVariable}]`;
  return new Option('--webhook <url>', text).argParser((given: string) => {
    openWebhook(given.trim());
    return given.trim();
  });
}

/** The environment by which jobs of a target know the address. Throws a usage error where they have none. */
export function jobWebhookFrom(
  { hasEnvironment }: SubmitTarget,
  to: string,
  { webhook }: OptionValues,
): Pick<Submission, 'environment'> {
  if (typeof webhook !== 'string') return {};
  if (!hasEnvironment) throw usageError(`--to ${to} does not know --webhook.`);
  return { environment: { [webhookVariable]: webhook } };
}
