import { messageOf } from '../../../../protocol/errors.ts';
import { selfCheck, tinySizes } from '../../selfCheck.ts';
import { onnxEngineAside } from '../onnxEngine.ts';
import type { LibraryCheckMessage } from './checkLibrary.ts';

/* The entry of the process that checks ONNX Runtime's library for `checkLibrary`; the answer goes back as one message. */

async function answer(): Promise<LibraryCheckMessage> {
  try {
    const { difference, lossDifference } = await selfCheck(onnxEngineAside(), 'cpu', tinySizes);
    if (difference === 0 && lossDifference === 0) return {};
    return {
      failure: `its numbers differ from the binding's, gradients by ${difference}, losses by ${lossDifference}`,
    };
  } catch (error) {
    return { failure: messageOf(error) };
  }
}

const message = await answer();
process.send?.(message, () => process.exit(0));
