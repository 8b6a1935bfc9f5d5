import { readSync } from 'node:fs';
import type * as Onnx from 'onnxruntime-node';
import { MillraceError, messageOf } from '../../core/index.js';
import { type DataFile, digestOfAll } from '../external-data.js';
import type { Ask } from '../workers/protocol.js';
import { digestOf, withFile } from './file-digest.js';

/**
 * A model as ONNX Runtime takes it. It reads the file itself: V8 gives a buffer of the file back on helper threads, which then take the
 * cores from who scores (calls of other models took 5 to 10 ms while a model of 100 MB was loaded). Weights in files of their own it
 * takes as buffers.
 */
export type ModelSource = Pick<Ask<'load'>, 'place' | 'data' | 'tensors'>;

/**
 * Checks that a model's files still are what was opened. After a session was made of them, so that it covers what the runtime has read.
 *
 * Throws `MillraceError('model')` where they are not, and `MillraceError('inference')` where they cannot be read.
 */
export function checkUnchanged({ place, digest, data = [] }: Pick<Ask<'load'>, 'place' | 'digest' | 'data'>): void {
  const digests = data.map(({ path, place }) => ({ path, digest: digestOf(place) }));
  if (digestOfAll(digestOf(place), digests) === digest) return;
  throw new MillraceError('model', 'the model file was overwritten while it was in use', {
    hint: 'write a new version beside it and rename it: a run keeps the file that it has opened; restart to use the new one',
  });
}

/**
 * Makes a session of a model. Throws a plain error with what the runtime has to say, and `MillraceError('inference')` where a file with
 * weights cannot be read.
 */
export async function createSession(
  onnx: typeof Onnx,
  { place, data = [] }: ModelSource,
  options: Onnx.InferenceSession.SessionOptions,
): Promise<Onnx.InferenceSession> {
  // It goes by the name of a file, and these have none.
  const format = isOrtFormat(place) ? { extra: { session: { load_model_format: 'ORT' } } } : {};
  const weights = data.map((file) => ({ path: file.path, data: contentOf(file) }));
  const given = { ...options, ...format, ...(weights.length > 0 && { externalData: weights }) };
  try {
    return await onnx.InferenceSession.create(place, given);
  } catch (cause) {
    // The path is that of an open file of this process, which tells nobody anything.
    throw new Error(messageOf(cause).replaceAll(place, 'the file'), { cause });
  } finally {
    // The session has its own. Until a collection these would be there twice, and count as what the model takes.
    for (const { data } of weights) data.buffer.resize(0);
  }
}

/** What a file in ONNX Runtime's own format has after its first four bytes. */
const ORT_FORMAT = Buffer.from('ORTM');

function isOrtFormat(path: string): boolean {
  const mark = Buffer.alloc(ORT_FORMAT.length);
  withFile(path, (file) => readFrom(file, 4, mark));
  return mark.equals(ORT_FORMAT);
}

/** The content of a file, in a buffer that can be given back at once. */
function contentOf({ place, bytes }: DataFile): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }));
  const length = withFile(place, (file) => readFrom(file, 0, content));
  return content.subarray(0, length);
}

/** Node reads less than 2 GiB at a time. */
const READ_MAX = 2 ** 30;

/** Fills a buffer as far as the file goes, and says how far that is. */
function readFrom(file: number, from: number, into: Uint8Array): number {
  let at = 0;
  for (let read = -1; read !== 0 && at < into.length; at += read)
    read = readSync(file, into, at, Math.min(into.length - at, READ_MAX), from + at);
  return at;
}
