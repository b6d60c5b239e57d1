/**
 * The version of ONNX Runtime's C API whose table we ask for. Functions are only ever appended to the table, so each keeps
 * its place in all later versions (`onnxruntime_c_api.h`, `struct OrtApi`).
 */
export const apiVersion = 27;

/** Place of `GetApi(version)` and `GetVersionString()` in `struct OrtApiBase`. */
export const baseTable = { GetApi: 0, GetVersionString: 1 } as const;

interface ApiFunction {
  /** Place in the table. */
  readonly place: number;
  /** Types of its parameters; `pointer` is an address. */
  readonly takes: readonly ('pointer' | 'text' | 'int' | 'size')[];
}

/** What gives a status: null, or the address of one that says what failed. */
export const statusFunctions = {
  CreateEnv: { place: 3, takes: ['int', 'text', 'pointer'] },
  CreateSessionFromArray: { place: 8, takes: ['pointer', 'pointer', 'size', 'pointer', 'pointer'] },
  Run: {
    place: 9,
    takes: ['pointer', 'pointer', 'pointer', 'pointer', 'size', 'pointer', 'size', 'pointer'],
  },
  CreateSessionOptions: { place: 10, takes: ['pointer'] },
  EnableProfiling: { place: 14, takes: ['pointer', 'pointer'] },
  EnableMemPattern: { place: 16, takes: ['pointer'] },
  DisableMemPattern: { place: 17, takes: ['pointer'] },
  SetSessionLogSeverityLevel: { place: 22, takes: ['pointer', 'int'] },
  SetSessionGraphOptimizationLevel: { place: 23, takes: ['pointer', 'int'] },
  SetIntraOpNumThreads: { place: 24, takes: ['pointer', 'int'] },
  SessionGetInputCount: { place: 30, takes: ['pointer', 'pointer'] },
  SessionGetOutputCount: { place: 31, takes: ['pointer', 'pointer'] },
  SessionGetInputName: { place: 36, takes: ['pointer', 'size', 'pointer', 'pointer'] },
  SessionGetOutputName: { place: 37, takes: ['pointer', 'size', 'pointer', 'pointer'] },
  CreateRunOptions: { place: 39, takes: ['pointer'] },
  RunOptionsSetTerminate: { place: 46, takes: ['pointer'] },
  CreateTensorAsOrtValue: { place: 48, takes: ['pointer', 'pointer', 'size', 'int', 'pointer'] },
  CreateTensorWithDataAsOrtValue: {
    place: 49,
    takes: ['pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'pointer'],
  },
  GetTensorMutableData: { place: 51, takes: ['pointer', 'pointer'] },
  GetTensorElementType: { place: 60, takes: ['pointer', 'pointer'] },
  GetDimensionsCount: { place: 61, takes: ['pointer', 'pointer'] },
  GetDimensions: { place: 62, takes: ['pointer', 'pointer', 'size'] },
  GetTensorTypeAndShape: { place: 65, takes: ['pointer', 'pointer'] },
  CreateMemoryInfo: { place: 68, takes: ['text', 'int', 'int', 'int', 'pointer'] },
  CreateCpuMemoryInfo: { place: 69, takes: ['int', 'int', 'pointer'] },
  AllocatorFree: { place: 76, takes: ['pointer', 'pointer'] },
  GetAllocatorWithDefaultOptions: { place: 78, takes: ['pointer'] },
  SessionEndProfiling: { place: 110, takes: ['pointer', 'pointer', 'pointer'] },
  AddSessionConfigEntry: { place: 130, takes: ['pointer', 'text', 'text'] },
  CreateAllocator: { place: 131, takes: ['pointer', 'pointer', 'pointer'] },
  RunWithBinding: { place: 133, takes: ['pointer', 'pointer', 'pointer'] },
  CreateIoBinding: { place: 134, takes: ['pointer', 'pointer'] },
  BindInput: { place: 136, takes: ['pointer', 'pointer', 'pointer'] },
  BindOutput: { place: 137, takes: ['pointer', 'pointer', 'pointer'] },
  BindOutputToDevice: { place: 138, takes: ['pointer', 'pointer', 'pointer'] },
  GetBoundOutputValues: { place: 140, takes: ['pointer', 'pointer', 'pointer', 'pointer'] },
  AddRunConfigEntry: { place: 165, takes: ['pointer', 'text', 'text'] },
  SessionOptionsAppendExecutionProvider_CUDA_V2: { place: 204, takes: ['pointer', 'pointer'] },
  CreateCUDAProviderOptions: { place: 205, takes: ['pointer'] },
  UpdateCUDAProviderOptions: { place: 206, takes: ['pointer', 'pointer', 'pointer', 'size'] },
  SessionOptionsAppendExecutionProvider: { place: 216, takes: ['pointer', 'text', 'pointer', 'pointer', 'size'] },
  AddExternalInitializersFromFilesInMemory: {
    place: 279,
    takes: ['pointer', 'pointer', 'pointer', 'pointer', 'size'],
  },
  CopyTensors: { place: 386, takes: ['pointer', 'pointer', 'pointer', 'pointer', 'size'] },
  SessionReleaseCapturedGraph: { place: 421, takes: ['pointer', 'int'] },
} as const satisfies Readonly<Record<string, ApiFunction>>;

/** What lets go of a handle, once. */
export const releaseFunctions = {
  ReleaseEnv: 92,
  ReleaseStatus: 93,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseRunOptions: 97,
  ReleaseTensorTypeAndShapeInfo: 99,
  ReleaseSessionOptions: 100,
  ReleaseAllocator: 132,
  ReleaseIoBinding: 135,
  ReleaseCUDAProviderOptions: 208,
} as const;

/** `const char *GetErrorMessage(const OrtStatus *)`. */
export const getErrorMessage = 2;

/** `ONNXTensorElementDataType` of the types that our tensors have. */
export const elementTypes = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9, float64: 11 } as const;

/** `OrtAllocatorType` and `OrtMemType` of ordinary memory. */
export const ordinaryMemory = { allocator: 0, memory: 0 } as const;

/** `GraphOptimizationLevel`, by the binding's names. */
export const optimizationLevels = { disabled: 0, extended: 2, all: 99 } as const;
