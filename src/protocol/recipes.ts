import { type RecipeName, recipeNames, type TrainingConfigInput } from './trainingConfig.ts';

type Settings = Partial<TrainingConfigInput>;

/** What a recipe sets: the same for every method, and besides where only the head trains, and where more does. */
interface Recipe {
  readonly all: Settings;
  readonly head: Settings;
  readonly more: Settings;
}

const fading: Settings = { optimizer: 'adamw', schedule: 'cosine', labelSmoothing: 0.1 };

/** `report` is what the defaults are. `quick` passes over the images once if it can, `strong` takes its time. */
const recipes: Readonly<Record<RecipeName, Recipe>> = {
  report: { all: {}, head: {}, more: {} },
  quick: {
    all: fading,
    head: { hidden: [], augment: 'none', epochs: 30, learningRate: 0.001 },
    more: { augment: 'crop', epochs: 5, learningRate: 'auto' },
  },
  strong: {
    all: fading,
    head: { hidden: [], augment: 'crop', featureViews: 8, epochs: 40, learningRate: 0.001, emaDecay: 0.99 },
    more: {
      ...{ augment: 'trivial', erase: 0.1, mixup: 0.2, cutmix: 1, epochs: 30 },
      ...{ learningRate: 'auto', weightDecay: 0.05, warmupSteps: 100, emaDecay: 0.999 },
    },
  },
};

/**
 * Settings as they were given, over those of the recipe that they name, if they name one. What is not an object of settings
 * comes back as it is, for the schema to refuse.
 */
export function withRecipe(settings: unknown): unknown {
  if (typeof settings !== 'object' || settings === null || !('recipe' in settings)) return settings;
  const { recipe: name } = settings;
  const known = recipeNames.find((recipe) => recipe === name);
  if (known === undefined) return settings;
  const { all, head, more } = recipes[known];
  const method = 'method' in settings ? (settings.method ?? 'head') : 'head';
  return { ...all, ...(method === 'head' ? head : more), ...given(settings) };
}

/** A setting without a value is one that was not given. */
function given(settings: object): object {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
