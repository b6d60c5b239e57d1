/** Short names of ONNX files on the hub, as settings, flags and lists take them in place of a file. */
export const backboneNames = ['dinov2-small', 'dinov2-base', 'mobilenetv4-small', 'siglip-base', 'clip-base'] as const;
export type BackboneName = (typeof backboneNames)[number];

/** Whether a text in the place of an ONNX file is a short name. A file may still lie under it. */
export function isBackboneName(text: string): text is BackboneName {
  return backboneNames.some((name) => name === text);
}
