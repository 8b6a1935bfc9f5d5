import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type Handlers, serveCalls } from '../../src/util/worker-thread.js';

/** A session in a thread of its own, which runs batches as they come, each whole. */
export interface SessionCalls {
  load: { readonly ask: { readonly bytes: Uint8Array }; readonly answer: Record<never, never> };
  run: {
    readonly ask: { readonly input: Float32Array; readonly rows: number; readonly width: number };
    readonly answer: { readonly input: Float32Array };
  };
  close: { readonly ask: Record<never, never>; readonly answer: Record<never, never> };
}

let session: InferenceSession | undefined;

serveCalls<SessionCalls>(
  () =>
    ({
      async load({ bytes }) {
        session = await InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
        return {};
      },
      async run({ input, rows, width }, transfer) {
        await session?.run({ x: new Tensor('float32', input.subarray(0, rows * width), [rows, width]) });
        transfer(input.buffer);
        return { input };
      },
      async close() {
        await session?.release();
        return {};
      },
    }) satisfies Handlers<SessionCalls>,
  { code: 'internal', last: 'close' },
);
