/** What ONNX Runtime's CUDA provider says, without the functions, types and files of its own that stand before and behind it. */
export function cudaReason(message: string): string {
  const failure = /\b(?:CUDA|CUBLAS|CUDNN|CURAND)\w* failure \d+: [^;\n]+/u.exec(message)?.[0];
  if (failure !== undefined) return failure.trim();
  const missing = /Failed to load library .* with error: (libcuda\.so\.1|[^:\n]+)/u.exec(message)?.[1];
  if (missing === undefined) return message;
  return missing === 'libcuda.so.1'
    ? 'NVIDIA’s driver is incomplete here: it has no libcuda.so.1'
    : `CUDA’s libraries do not load (${missing})`;
}
