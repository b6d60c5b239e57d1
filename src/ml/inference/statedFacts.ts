import type { TruncatedModel } from '../onnx/foreign/truncateModel.ts';
import { type ExportedFacts, exportedFacts } from './exportedFacts.ts';
import { ultralyticsFacts } from './ultralyticsFacts.ts';

/**
 * What an ONNX file itself says of its pixels and classes, whoever exported it; undefined where it says nothing. Throws a
 * user error where what it says is damaged.
 */
export function statedFacts(file: string, model: Pick<TruncatedModel, 'metadata'>): ExportedFacts | undefined {
  return exportedFacts(file, model) ?? ultralyticsFacts(file, model);
}
