import { findContradiction } from './contradictions.ts';
import {
  type GivenConfig,
  givenConfigSchema,
  type RecipeName,
  recipeNames,
  type TrainingConfigInput,
} from './trainingConfig.ts';

type Settings = Partial<TrainingConfigInput>;

/** What a recipe sets: the same for every method, and besides where only the head trains, and where more does. */
interface Recipe {
  readonly all: Settings;
  readonly head: Settings;
  readonly more: Settings;
}

const fading: Settings = { optimizer: 'adamw', schedule: 'cosine', labelSmoothing: 0.1 };

/**
 * `report` is what the defaults are. `quick` passes over the images once if it can, `strong` takes its time. Heads keep their
 * hidden layer: a linear one is worse where features are not of unit scale (bench/NOTES.md).
 */
const recipes: Readonly<Record<RecipeName, Recipe>> = {
  report: { all: {}, head: {}, more: {} },
  quick: {
    all: fading,
    head: { augment: 'none', epochs: 30, learningRate: 0.001 },
    more: { augment: 'crop', epochs: 5, learningRate: 'auto' },
  },
  strong: {
    all: fading,
    head: { augment: 'crop', featureViews: 8, epochs: 40, learningRate: 0.001, emaDecay: 0.99 },
    more: {
      ...{ augment: 'trivial', erase: 0.1, mixup: 0.2, cutmix: 1, epochs: 30 },
      ...{ learningRate: 'auto', weightDecay: 0.05, warmupSteps: 100, emaDecay: 0.999 },
    },
  },
};

/**
 * Settings as they were given, over those of the recipe that they name, if they name one. Settings of the recipe that
 * contradict a given one are left out. What is not an object of settings comes back as it is, for the schema to refuse.
 */
export function withRecipe(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null || !('recipe' in settings)) return settings;
  const { recipe: name } = settings;
  const known = recipeNames.find((recipe) => recipe === name);
  if (known === undefined) return settings;
  const own = new Map(Object.entries(settingsOf(known, 'method' in settings ? settings.method : undefined)));
  const asGiven = given(settings);
  for (;;) {
    const merged = { ...Object.fromEntries(own), ...asGiven };
    const parsed = givenConfigSchema.safeParse(merged);
    const contradiction = parsed.success ? findContradiction(parsed.data) : undefined;
    const weaker = contradiction?.settings.filter((setting) => own.has(setting) && !Object.hasOwn(asGiven, setting));
    if (weaker === undefined || weaker.length === 0) return merged;
    for (const setting of weaker) own.delete(setting);
  }
}

/** What a recipe sets for a method; `head` without it. */
function settingsOf(recipe: RecipeName, method: unknown = 'head'): Settings {
  const { all, head, more } = recipes[recipe];
  return { ...all, ...(method === 'head' ? head : more) };
}

/** The settings of a configuration's recipe that are others there, in a sentence; undefined where there are none. */
export function gaveWay(config: GivenConfig): string | undefined {
  const { recipe, method } = config;
  if (recipe === undefined) return undefined;
  const own = Object.entries(settingsOf(recipe, method)) as [keyof GivenConfig, unknown][];
  const others = own.filter(([setting, value]) => JSON.stringify(config[setting]) !== JSON.stringify(value));
  if (others.length === 0) return undefined;
  const list = others.map(([setting, value]) => `${setting} (${textOf(value)})`).join(', ');
  return `Of the recipe ${recipe}, these settings gave way to what was given: ${list}.`;
}

function textOf(value: unknown): string {
  return Array.isArray(value) && value.length === 0 ? 'none' : String(value);
}

/** A setting without a value is one that was not given. */
function given(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
