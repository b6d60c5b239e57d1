/** The part of a JSON schema that is looked at. */
interface Schema {
  readonly type?: string;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly description?: string;
  readonly markdownDescription?: string;
  readonly [other: string]: unknown;
}

/** Settings of a space that have one value: trials are compared on the same images, and a file has one version. */
const single: ReadonlySet<string> = new Set(['version', '$schema', 'data']);

/**
 * The JSON schema of a space, from that of settings files and from what only a space says: a setting may be a list of
 * values too, and a number a range.
 */
export function spaceSchema(config: Schema, own: Schema): Schema {
  const settings = Object.entries(config.properties ?? {}).map(([name, setting]) => [
    name,
    single.has(name) ? setting : variable(setting),
  ]);
  return {
    ...config,
    properties: { ...(Object.fromEntries(settings) as Record<string, Schema>), ...own.properties },
    // The folder of images may be named when the sweep starts.
    required: (config.required ?? []).filter((name) => name !== 'data'),
  };
}

function variable(setting: Schema): Schema {
  const { description, markdownDescription, default: usual } = setting;
  const list = { type: 'array', items: setting, minItems: 1, uniqueItems: true };
  const pair = { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2 };
  const range = (name: string) => ({
    type: 'object',
    properties: { [name]: pair },
    required: [name],
    additionalProperties: false,
  });
  return {
    ...(description === undefined ? {} : { description, markdownDescription }),
    ...(usual === undefined ? {} : { default: usual }),
    anyOf: [setting, list, ...(isNumber(setting) ? [range('range'), range('log')] : [])],
  };
}

function isNumber({ type, anyOf = [] }: Schema): boolean {
  return type === 'number' || type === 'integer' || anyOf.some(isNumber);
}
