import type * as vscode from 'vscode';
import type { Panels, Parts } from '../parts.ts';
import { registerCleaningPanels } from './cleaningPanel.ts';
import { openDryRunPanel } from './dryRunPanel.ts';
import { registerEvaluationPanels } from './evaluationPanel.ts';
import { registerFeatureMapPanels } from './featureMapPanel.ts';
import { registerLabellingPanels } from './labellingPanel.ts';
import { registerPredictionPanel } from './predictionPanel.ts';
import { registerSweepPanels } from './sweepPanel.ts';
import { registerTrainingPanel } from './trainingPanel.ts';

/** Registers all panels; those that were open come back after a reload of the window. */
export function registerPanels(
  context: vscode.ExtensionContext,
  parts: Omit<Parts, 'panels'>,
): Panels & { dispose(): void } {
  const training = registerTrainingPanel(context, parts);
  const prediction = registerPredictionPanel(context, parts);
  const evaluation = registerEvaluationPanels(context, parts);
  const cleaning = registerCleaningPanels(context, parts);
  const featureMaps = registerFeatureMapPanels(context, parts, cleaning.show);
  const labelling = registerLabellingPanels(context, parts);
  const sweeps = registerSweepPanels(context, parts, training.show);
  return {
    showRuns: training.show,
    runRenamed: training.rename,
    showPredictions: prediction.show,
    removeImage: prediction.remove,
    classifyAgain: prediction.classifyAgain,
    showEvaluation: evaluation.show,
    showTestedImages: evaluation.showImages,
    cleanData: (data) => cleaning.show(data),
    showFeatureMap: featureMaps.show,
    labelImages: labelling.show,
    showSweep: sweeps.show,
    lookAhead: openDryRunPanel(context, parts),
    dispose: () => {
      for (const panels of [training, prediction, evaluation, cleaning, featureMaps, labelling, sweeps])
        panels.dispose();
    },
  };
}
