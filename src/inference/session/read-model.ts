import { closeSync, openSync, readSync } from 'node:fs';
import { MillraceError, messageOf, type TensorSpec } from '../../core/index.js';
import { digestOfAll, sha256 } from '../external-data.js';
import type { Ask } from '../workers/protocol.js';

/** A model as ONNX Runtime takes it. */
export interface ModelBytes {
  readonly bytes: Uint8Array;
  /** The weights that are not in it. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
  readonly tensors?: TensorSpec | undefined;
}

/** Larger buffers are not kept from one model to the next. */
const KEEP_BYTES = 32 * 2 ** 20;

let kept = new Uint8Array(0);

/**
 * The bytes of a model's file, until the next call: ONNX Runtime copies what it needs of them, so one buffer serves all models, and
 * nothing waits for a garbage collection. Weights in files of their own are read anew.
 *
 * Throws `MillraceError('model')` where the file is not what was opened, and `MillraceError('inference')` where it cannot be read.
 */
export function readModel({
  place,
  fileBytes,
  digest,
  data = [],
}: Pick<Ask<'load'>, 'place' | 'fileBytes' | 'digest' | 'data'>): ModelBytes {
  const buffer = kept.length >= fileBytes ? kept : new Uint8Array(fileBytes);
  if (fileBytes <= KEEP_BYTES) kept = buffer;
  const bytes = buffer.subarray(0, readInto(buffer, fileBytes, place));
  const externalData = data.map(({ path, place, bytes }) => {
    const own = new Uint8Array(bytes);
    return { path, data: own.subarray(0, readInto(own, bytes, place)) };
  });
  const digests = externalData.map((each) => ({ path: each.path, digest: sha256(each.data) }));
  if (digestOfAll(sha256(bytes), digests) === digest)
    return externalData.length === 0 ? { bytes } : { bytes, externalData };
  throw new MillraceError('model', 'the model file was overwritten while it was in use', {
    hint: 'write a new version beside it and rename it: a run keeps the file that it has opened; restart to use the new one',
  });
}

function readInto(buffer: Uint8Array, length: number, place: string): number {
  try {
    const file = openSync(place, 'r');
    try {
      let at = 0;
      for (let read = -1; read !== 0 && at < length; at += read) read = readSync(file, buffer, at, length - at, at);
      return at;
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    // A disk that does not answer now may answer later.
    throw new MillraceError('inference', `the model file cannot be read again: ${messageOf(cause)}`);
  }
}
