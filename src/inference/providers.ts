import type { Provider } from '../operators/ml/model-options.js';

/** How ONNX Runtime's profile names the provider that ran a node: the only proof of where a model really runs. */
const executionProviders: Readonly<Record<Provider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  tensorrt: 'TensorrtExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  dml: 'DmlExecutionProvider',
  coreml: 'CoreMLExecutionProvider',
};

/**
 * Whether a profile written by ONNX Runtime shows a node that ran on `provider`. (An unavailable provider is dropped by
 * the runtime with no more than a warning, and the model runs on the CPU.)
 */
export function profileShows(profile: string, provider: string): boolean {
  const wanted = (executionProviders as Readonly<Record<string, string>>)[provider];
  if (wanted === undefined) return false;
  const events = JSON.parse(profile) as readonly { readonly args?: { readonly provider?: string } }[];
  return events.some((event) => event.args?.provider === wanted);
}
