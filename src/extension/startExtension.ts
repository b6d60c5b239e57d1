import './configureTexts.ts';
import type * as vscode from 'vscode';
import { createLanguageModelTools } from './agents/languageModelTools.ts';
import { registerAddData } from './commands/addData.ts';
import { registerCleanData } from './commands/cleanData.ts';
import { registerLabelImages } from './commands/labelImages.ts';
import { registerClassifying } from './commands/classifyImage.ts';
import { registerImageMenu } from './commands/imageMenu.ts';
import { registerContinuingRun } from './commands/continueRun.ts';
import { registerControllingSweep } from './commands/controlSweep.ts';
import { registerNewSweep } from './commands/newSweep.ts';
import { registerDeletingRuns } from './commands/deleteRuns.ts';
import { registerRenamingRun } from './commands/renameRun.ts';
import { registerShowingRuns } from './commands/showRuns.ts';
import { registerStoppingRun } from './commands/stopRun.ts';
import { runRegistered } from './commands/registerCommand.ts';
import { registerImportData } from './commands/importData.ts';
import { registerDrawSample } from './commands/drawSample.ts';
import { registerExporting } from './commands/exportModel.ts';
import { registerExportingPage } from './commands/exportPage.ts';
import { registerInstallCuda, registerRemoveCuda } from './commands/installCuda.ts';
import { registerInstallTensorflow } from './commands/installTensorflow.ts';
import { registerForgetData } from './commands/forgetData.ts';
import { registerExplainingJob, registerFollowingRun } from './commands/explainJob.ts';
import { registerRefresh } from './commands/refresh.ts';
import { registerReveal } from './commands/reveal.ts';
import { registerRunningStudy } from './commands/runStudy.ts';
import { registerShowConfiguration } from './commands/showConfiguration.ts';
import { registerShowData } from './commands/showData.ts';
import { registerShowLog } from './commands/showLog.ts';
import { registerShowRunLog } from './commands/showRunLog.ts';
import { registerShowFeatureMap } from './commands/showFeatureMap.ts';
import { registerServingModel } from './commands/serveModel.ts';
import { registerShowingDevices } from './commands/showDevices.ts';
import { registerTesting } from './commands/testCheckpoint.ts';
import { registerTrainModel } from './commands/trainModel.ts';
import { registerPanels } from './panels/panels.ts';
import { createService } from './service/service.ts';
import { registerTestExplorer } from './tests/testExplorer.ts';
import { createDataFolders } from './trainer/dataFolders.ts';
import { createLiveRuns } from './trainer/liveRuns.ts';
import { createRunStore } from './trainer/runStore.ts';
import { createSpeedMemory } from './trainer/speedMemory.ts';
import { createStudies } from './trainer/studies.ts';
import { createSweeps } from './trainer/sweeps.ts';
import { createTrainers } from './trainer/trainers.ts';
import { registerCheckpointsView } from './views/checkpointsView.ts';
import { registerContextKeys } from './views/contextKeys.ts';
import { registerDataView } from './views/dataView.ts';
import { registerEndNotice } from './views/endNotice.ts';
import { registerStatusBar } from './views/statusBar.ts';
import { registerWalkthroughSteps } from './views/walkthroughSteps.ts';
import { createLog } from './log.ts';

/** What the editor calls of the started extension. */
interface StartedExtension {
  readonly runCommand: (command: string, args: readonly unknown[]) => unknown;
  /** The tool for language models of that name. */
  readonly tool: (name: string) => vscode.LanguageModelTool<object>;
}

/**
 * Builds the parts, fills the views and says what commands do; then looks for runs that outlived an earlier window and
 * takes up its queue.
 */
export function startExtension(context: vscode.ExtensionContext, channel: vscode.LogOutputChannel): StartedExtension {
  const log = createLog(channel);
  const runs = createRunStore(log);
  const trainers = createTrainers(context, { log, runs });
  const service = createService(context, log);
  const live = createLiveRuns(runs, trainers);
  const dataFolders = createDataFolders(context.workspaceState, runs);
  const sweeps = createSweeps(context, { log, runs });
  const speeds = createSpeedMemory(context.globalState, live, runs);
  const panels = registerPanels(context, { log, runs, trainers, service });
  const parts = { log, runs, trainers, service, panels, live, dataFolders, speeds, sweeps };
  const studies = createStudies(context.workspaceState, parts);
  const rows = registerCheckpointsView(parts);
  // Disposed of in the reverse order: what others use goes last.
  context.subscriptions.push(
    runs,
    service,
    trainers,
    live,
    dataFolders,
    speeds,
    sweeps,
    panels,
    rows,
    registerDataView(parts),
    registerContextKeys(parts),
    registerWalkthroughSteps(parts),
    registerStatusBar(parts),
    registerEndNotice(parts),
    registerTrainModel(context, parts),
    registerContinuingRun(parts),
    registerStoppingRun(parts),
    registerExplainingJob(parts),
    registerFollowingRun(parts),
    registerNewSweep(context, parts),
    registerControllingSweep(parts),
    registerShowingRuns(parts),
    registerShowConfiguration(parts),
    registerShowRunLog(parts),
    registerShowLog(parts),
    registerReveal(parts),
    registerRefresh(parts),
    registerRenamingRun({ ...parts, rows }),
    registerDeletingRuns({ ...parts, rows }),
    registerAddData(parts),
    registerImportData(parts),
    registerShowData(parts),
    registerForgetData(parts),
    registerCleanData(parts),
    registerShowFeatureMap(parts),
    registerLabelImages(parts),
    registerDrawSample(parts),
    registerInstallCuda(parts),
    registerRemoveCuda(parts),
    registerInstallTensorflow(context, parts),
    registerClassifying(parts),
    registerImageMenu(parts),
    registerTesting(parts),
    registerTestExplorer(parts),
    registerExporting(parts),
    registerExportingPage(parts),
    registerServingModel(context, parts),
    studies,
    registerRunningStudy({ ...parts, studies }),
    registerShowingDevices(parts),
  );
  void runs.load().then(trainers.begin);
  const tools = createLanguageModelTools(parts);
  return {
    runCommand: runRegistered,
    tool: (name) => {
      const tool = tools.get(name);
      if (tool === undefined) throw new Error(`there is no tool ${name}`);
      return tool;
    },
  };
}
