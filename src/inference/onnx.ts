import type * as Onnx from 'onnxruntime-node';
import { MillraceError } from '../core/index.js';

let loaded: Promise<typeof Onnx> | undefined;

/**
 * ONNX Runtime, loaded at first use. Only the worker may call this, and it goes through this one place: loading the
 * native module twice in a thread aborts the process (onnxruntime-node 1.25 to 1.30).
 */
export function loadOnnx(): Promise<typeof Onnx> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<typeof Onnx> {
  try {
    const onnx = await import('onnxruntime-node');
    // Whatever goes wrong comes back as an exception; at lower levels it is printed to stderr as well.
    onnx.env.logLevel = 'fatal';
    return onnx;
  } catch (cause) {
    throw new MillraceError('model', "the package 'onnxruntime-node' cannot be loaded", {
      hint: 'install it: npm install onnxruntime-node --onnxruntime-node-install=skip (also where its own install fails to download CUDA)',
      cause,
    });
  }
}
