import type { ModelProfile, RunProfile } from '../../protocol/runProfile.ts';
import { formatTable } from './table.ts';

/** Rows of the longer tables; the file has them all. */
const rows = 15;

/** Where a run's time went, as tables for the terminal. */
export function profileLines(profile: RunProfile): string[] {
  const { step, validation, saving, models } = profile;
  if (profile.steps === 0) {
    const needed = profile.warmupSteps + 1;
    return [`There is no profile: the run did not take ${needed} steps in a row without a validation.`];
  }
  const parts = [
    ['waiting for images', step.images],
    ['frozen network', step.frozenNetwork],
    ['training step', step.trainingStep],
    ['other', step.other],
  ] as const;
  return [
    '',
    `Time of a step: ${milliseconds(step.seconds)} ms, the mean of ${profile.steps} after ${profile.warmupSteps} to warm up, ${profile.engine} on ${profile.device}`,
    ...table(
      ['part', 'ms', '%'],
      parts.map(([name, seconds]) => [name, milliseconds(seconds), share(seconds, step.seconds)]),
    ),
    ...(validation.count > 0
      ? [
          `  Validation: ${validation.seconds.toFixed(2)} s each. Checkpoints: ${saving.seconds.toFixed(2)} s each time.`,
        ]
      : []),
    ...mainModels(models).flatMap(modelLines),
  ];
}

/** The model of each part and purpose that ran most; a last, smaller batch is in the file alone. */
function mainModels(models: readonly ModelProfile[]): ModelProfile[] {
  const main = new Map<string, ModelProfile>();
  for (const model of models) {
    const key = `${model.part} ${model.purpose}`;
    const known = main.get(key);
    if (!known || model.runs > known.runs) main.set(key, model);
  }
  return [...main.values()];
}

function modelLines(model: ModelProfile): string[] {
  const { part, purpose, batchSize, seconds, outsideSeconds, phases } = model;
  const images = batchSize > 0 ? ` of ${batchSize} images` : '';
  const what = purpose === 'inference' ? part : `${part} (${purpose})`;
  const memory = model.peakBytes > 0 ? `, ${Math.round(model.peakBytes / 2 ** 20)} MiB of intermediate values` : '';
  const trains = phases.backward > 0 || phases.update > 0;
  const phaseList = Object.entries(phases).map(([name, time]) => `${name} ${milliseconds(time)}`);
  const split = trains ? `${phaseList.join(', ')}, outside the kernels` : 'outside the kernels';
  const counted = (entries: ModelProfile['operators']) =>
    table(
      ['operator', 'ms', '%', 'kernels'],
      entries
        .slice(0, rows)
        .map((entry) => [entry.name, milliseconds(entry.seconds), share(entry.seconds, seconds), `${entry.kernels}`]),
    );
  return [
    '',
    `${what}${images}: ${milliseconds(seconds)} ms (${split} ${milliseconds(outsideSeconds)})${memory}`,
    ...counted(model.operators),
    '  by the engine’s operators:',
    ...counted(model.kernels),
    '  by layer:',
    ...table(
      trains ? ['layer', 'ms', '%', 'forward', 'backward', 'update'] : ['layer', 'ms', '%'],
      model.layers
        .slice(0, rows)
        .map((layer) => [
          layer.name,
          milliseconds(total(layer)),
          share(total(layer), seconds),
          ...(trains ? [layer.forward, layer.backward, layer.update].map(milliseconds) : []),
        ]),
    ),
  ];
}

function table(header: readonly string[], cells: readonly (readonly string[])[]): string[] {
  return formatTable(header, cells).map((line) => `  ${line}`);
}

function total({ forward, backward, update }: ModelProfile['layers'][number]): number {
  return forward + backward + update;
}

function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(1);
}

function share(seconds: number, whole: number): string {
  return whole > 0 ? ((100 * seconds) / whole).toFixed(1) : '0.0';
}
