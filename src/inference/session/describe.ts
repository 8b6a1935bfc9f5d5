import type { ValueFacts } from './metadata.js';
import { loadOnnx } from './onnx-runtime.js';

/** What a model file says of its inputs and outputs; nothing where it is no model: who opens it says why. */
export async function describeModel(
  path: string,
): Promise<{ readonly inputs: readonly ValueFacts[]; readonly outputs: readonly ValueFacts[] } | undefined> {
  try {
    const { InferenceSession } = await loadOnnx();
    const session = await InferenceSession.create(path, { logSeverityLevel: 4 });
    const { inputMetadata: inputs, outputMetadata: outputs } = session;
    await session.release();
    return { inputs, outputs };
  } catch {
    return undefined;
  }
}
