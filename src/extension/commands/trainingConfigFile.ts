import { existsSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import * as l10n from '@vscode/l10n';
import { isBackboneName } from '../../protocol/backboneNames.ts';
import { parseBoundedJson } from '../../protocol/boundedJson.ts';
import { messageOf, userError } from '../../protocol/errors.ts';
import { withRecipe } from '../../protocol/recipes.ts';
import { type GivenConfig, givenConfigSchema } from '../../protocol/trainingConfig.ts';
import { isWeightSet } from '../../protocol/weightSetName.ts';

/** The content of a new `*.fivecrop.json` file. Paths near the file are written relative to it, so that it can be shared. */
export function writeTrainingConfig(config: GivenConfig, file: string): string {
  const near = (path: string): string => {
    const there = relative(dirname(file), path).split(sep).join('/');
    return there === '' || there.startsWith('../') || /^([a-z]:|\/)/i.test(there) ? path : there;
  };
  return trainingConfigText(mapPaths(config, near));
}

/** Settings as such a file has them, with the paths as they are. */
export function trainingConfigText({ version, ...settings }: GivenConfig): string {
  return `${JSON.stringify({ version, ...settings }, undefined, 2)}\n`;
}

/**
 * The configuration in a `*.fivecrop.json` file; its paths are relative to the file. Throws a user error that names the
 * file and what is wrong in it.
 */
export function parseTrainingConfig(content: string, file: string): GivenConfig {
  let json: unknown;
  try {
    json = parseBoundedJson(content);
  } catch (error) {
    throw userError(l10n.t('{0} cannot be used: {1}; correct it and try again.', file, messageOf(error)), error);
  }
  const result = givenConfigSchema.safeParse(withRecipe(json));
  if (result.success) return mapPaths(result.data, (path) => resolve(dirname(file), path));
  const [issue] = result.error.issues;
  if (issue === undefined) throw userError(l10n.t('{0} cannot be used: it is not a settings file.', file));
  const { path, message } = issue;
  throw userError(
    path.length === 0
      ? l10n.t('{0} cannot be used: {1}.', file, message)
      : l10n.t('{0} cannot be used at {1}: {2}.', file, path.map(String).join('.'), message),
  );
}

function mapPaths(config: GivenConfig, map: (path: string) => string): GivenConfig {
  const { data, classNames, network } = config;
  return {
    ...config,
    data: map(data),
    ...(classNames === undefined ? {} : { classNames: map(classNames) }),
    network: mapNetwork(network, map),
  };
}

function mapNetwork(network: GivenConfig['network'], map: (path: string) => string): GivenConfig['network'] {
  if (network.kind === 'backbone') {
    const file = map(network.file);
    return isBackboneName(network.file) && !existsSync(file) ? network : { ...network, file };
  }
  const { weights } = network;
  return weights === undefined || isWeightSet(weights) ? network : { ...network, weights: map(weights) };
}
