import * as vscode from 'vscode';
import * as z from 'zod';
import { chooseSource } from '../panels/chooseSource.ts';
import { viewType } from '../panels/hostPage.ts';
import type { Parts } from '../parts.ts';
import { requireTrust } from '../requireTrust.ts';
import { registerCommand } from './registerCommand.ts';

/** What the editor hands over of an element in a page that was clicked: `webview` is the panel's type. */
const clickedSchema = z.object({ webview: z.string(), image: z.string() });

/** The context menu of images in the pages: *Open*, *Reveal*, *Copy Path*, *Classify With* and *Remove from List*. */
export function registerImageMenu(parts: Pick<Parts, 'log' | 'runs' | 'service' | 'panels'>): vscode.Disposable {
  const { log, panels } = parts;
  const fileOf = (clicked: unknown) => vscode.Uri.file(clickedSchema.parse(clicked).image);
  return vscode.Disposable.from(
    registerCommand('fivecrop.openImage', log, (clicked: unknown) =>
      vscode.commands.executeCommand('vscode.open', fileOf(clicked)),
    ),
    registerCommand('fivecrop.revealImage', log, (clicked: unknown) =>
      vscode.commands.executeCommand('revealInExplorer', fileOf(clicked)),
    ),
    registerCommand('fivecrop.copyImagePath', log, (clicked: unknown) =>
      vscode.env.clipboard.writeText(fileOf(clicked).fsPath),
    ),
    registerCommand('fivecrop.removeImage', log, (clicked: unknown) =>
      panels.removeImage(clickedSchema.parse(clicked).image),
    ),
    registerCommand('fivecrop.classifyImageWith', log, async (clicked: unknown) => {
      requireTrust('classifying');
      const { webview, image } = clickedSchema.parse(clicked);
      const source = await chooseSource(parts);
      if (!source) return;
      if (webview === viewType('prediction')) panels.classifyAgain(source);
      else panels.showPredictions([image], source);
    }),
  );
}
