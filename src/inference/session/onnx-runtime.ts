import type * as Onnx from 'onnxruntime-node';
import { MillraceError } from '../../core/index.js';

/**
 * From 1.29 on ONNX Runtime tells its makers, also on Linux and macOS, the machine it runs on, the names of model files and the hashes of
 * their weights, and keeps a number of the device in the user's cache. It reads once for each process whether it may not. A thread has
 * only a copy of the environment, so who starts one calls this before. A user who wants it sets the variable to 0.
 */
export function sendNoTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= '1';
}

let loaded: Promise<typeof Onnx> | undefined;

/**
 * ONNX Runtime, loaded at its first use, without its telemetry. Loading the native module twice in a thread aborts the process
 * (onnxruntime-node 1.25 to 1.30), so nothing else loads it.
 */
export function loadOnnx(): Promise<typeof Onnx> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof Onnx> {
  sendNoTelemetry();
  try {
    const onnx = await import('onnxruntime-node');
    // All errors are exceptions; at lower levels they are also printed to stderr.
    onnx.env.logLevel = 'fatal';
    keepHalvesAsBits(onnx);
    return onnx;
  } catch (cause) {
    throw new MillraceError('model', "the package 'onnxruntime-node' cannot be loaded", {
      hint: 'install it: npm install onnxruntime-node --onnxruntime-node-install=skip (also where its own install fails to download CUDA)',
      cause,
    });
  }
}

/**
 * From Node 24 on there are arrays of float16, which ONNX Runtime's native part cannot read (onnxruntime-node 1.30). Its JavaScript looks for
 * them once, at the first tensor; without them it takes bits, as on older Nodes.
 */
function keepHalvesAsBits({ Tensor }: typeof Onnx): void {
  const there = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (there === undefined) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    new Tensor('uint8', Uint8Array.of(0), [1]);
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', there);
  }
}
