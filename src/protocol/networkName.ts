/** A network's name for people: `resnet18`, or the name of its ONNX file, whatever system its path is of. */
export function networkName(network: { readonly name: string } | { readonly file: string }): string {
  return 'name' in network ? network.name : (/[^\\/]*$/u.exec(network.file)?.[0] ?? network.file);
}
