import * as vscode from 'vscode';

/**
 * The rows that a key means: the selected ones if the row with the focus is among them, else that row alone, as in the
 * explorer. The editor tells extensions the selection only, so the row with the focus is found by selecting it, or by
 * taking it out of the selection, for a moment. To be called while the tree has the keyboard.
 */
export async function focusedRows<Node>(view: Pick<vscode.TreeView<Node>, 'selection'>): Promise<readonly Node[]> {
  const before = view.selection;
  const toggle = () => vscode.commands.executeCommand('list.toggleSelection');
  await toggle();
  const added = view.selection.find((node) => !before.includes(node));
  await toggle();
  return added === undefined ? before : [added];
}
