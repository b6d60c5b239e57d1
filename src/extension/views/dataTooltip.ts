import { basename } from 'node:path';
import * as vscode from 'vscode';
import { pictureFor } from '../panels/pictureFor.ts';
import type { Parts } from '../parts.ts';
import { inCode, inMarkdown } from '../plainText.ts';
import { listImages } from './listData.ts';
import type { DataNode } from './treeNodes.ts';

/** Long side of the pictures of an image and of those of a class, in pixels. */
const imageSize = 256;
const classSize = 96;
/** Pictures of a class. */
const shownOfClass = 4;
/** Characters of a hover: the editor cuts off what is longer. */
const mostCharacters = 90_000;

interface TooltipParts extends Pick<Parts, 'service' | 'log'> {
  readonly signal: AbortSignal;
}

/** What the hover of a row shows: an image itself, of a class its first images, and where it lies. */
export async function dataTooltip(node: DataNode, parts: TooltipParts): Promise<vscode.MarkdownString | undefined> {
  switch (node.kind) {
    case 'image':
      return pictures([node.path], imageSize, node.path, parts);
    case 'class':
      return pictures((await listImages(node.folder)).slice(0, shownOfClass), classSize, node.folder, parts);
    case 'split':
      return new vscode.MarkdownString(inCode(node.folder));
    case 'data':
    case 'more':
      return undefined;
  }
}

/** Without pictures where there can be none, as in an untrusted workspace. */
async function pictures(images: readonly string[], size: number, path: string, parts: TooltipParts) {
  const found = await Promise.all(images.map((image) => pictureFor(parts, image, size, parts.signal)));
  const shown = found.flatMap((picture, at) =>
    picture === undefined ? [] : `![${inMarkdown(basename(images[at] ?? ''))}](${picture})`,
  );
  const line = shown.join(' ');
  const text = [...(line === '' || line.length > mostCharacters ? [] : [line]), inCode(path)].join('\n\n');
  return new vscode.MarkdownString(text);
}
