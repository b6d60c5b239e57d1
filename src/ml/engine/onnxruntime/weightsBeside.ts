import { elementCount } from '../../graph/tensor.ts';
import { mostModelBytes, onnxDataTypes, type OnnxModel, onnxNumber, type OnnxTensor } from '../../onnx/onnxModel.ts';

/** A file in memory that a model looks for by its name. */
export interface ExternalData {
  readonly path: string;
  readonly data: Uint8Array;
}

/** Bytes from which on a weight is handed over beside the model. */
const largeWeight = 65_536;
/** Where the format says that a tensor's bytes are: outside of the model. */
const outside = 1;

/**
 * A model without its large weights, and those beside it, by the names under which it looks for them. Within the encoded
 * model they would be there four times while it is opened, beside it twice: 640 MB of weights took 3.7 GB, and take 1.4.
 * On other devices than the CPU that is done only where they do not fit into a model.
 */
export function weightsBeside(
  model: OnnxModel,
  device: string,
  most = mostModelBytes,
): { readonly small: OnnxModel; readonly externalData: readonly ExternalData[] } {
  const { initializer = [] } = model.graph;
  const bytes = initializer.reduce((sum, { rawData }) => sum + (rawData?.byteLength ?? 0), 0);
  if (device !== 'cpu' && bytes <= most) return { small: model, externalData: [] };
  const externalData: ExternalData[] = [];
  const left = initializer.map((tensor) => {
    if (!isLargeWeight(tensor)) return tensor;
    const { rawData, ...described } = tensor;
    const place = { location: `weight ${externalData.length}`, offset: '0', length: String(rawData.byteLength) };
    externalData.push({ path: place.location, data: rawData });
    const entries = Object.entries(place).map(([key, value]) => ({ key, value }));
    return { ...described, dataLocation: outside, externalData: entries };
  });
  return { small: { ...model, graph: { ...model.graph, initializer: left } }, externalData };
}

function isLargeWeight(tensor: OnnxTensor): tensor is OnnxTensor & { readonly rawData: Uint8Array } {
  const { rawData, dataType, dims = [] } = tensor;
  const isWhole = dataType === onnxDataTypes.float32 && rawData?.byteLength === 4 * elementCount(dims.map(onnxNumber));
  return isWhole && rawData.byteLength >= largeWeight;
}
