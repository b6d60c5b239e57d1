/** A network's name for people: `resnet18`, or the name of its ONNX file, whatever system its path is of. */
export function networkName(network: { readonly name: string } | { readonly file: string }): string {
  return 'name' in network ? network.name : (/[^\\/]*$/u.exec(network.file)?.[0] ?? network.file);
}

/** What tells a network from all others: its name, or the path of its ONNX file. */
export function networkId(network: { readonly name: string } | { readonly file: string }): string {
  return 'name' in network ? network.name : network.file;
}
