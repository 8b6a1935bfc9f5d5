import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MillraceError } from '../core/index.js';

/** A model's file. Workers read it each time that they load it: its bytes are not kept beside the sessions. */
export interface ModelFile {
  /** The path, in messages. */
  readonly name: string;
  /** Where threads and processes of this one find it. */
  readonly place: string;
  readonly digest: string;
  readonly bytes: number;
  close(): Promise<void>;
}

/**
 * Opens a model's file and takes its digest.
 *
 * The file stays open. On Linux one that is replaced (renamed over) or removed is so still there for a worker that comes back, and only one
 * that is overwritten in place is lost.
 *
 * Throws `MillraceError('model')` if it cannot be read.
 */
export async function openModelFile(model: string | URL): Promise<ModelFile> {
  const name = typeof model === 'string' ? resolve(model) : fileURLToPath(model);
  let handle: FileHandle | undefined;
  try {
    handle = await open(name);
    const { size } = await handle.stat();
    const digest = await digestOf(handle);
    const { fd } = handle;
    const place = process.platform === 'linux' ? `/proc/${process.pid}/fd/${fd}` : name;
    return { name, place, digest, bytes: size, close: () => (handle as FileHandle).close() };
  } catch (cause) {
    await handle?.close();
    throw new MillraceError('model', `the model file ${name} cannot be read`, {
      where: name,
      hint: 'relative paths start at the working directory; new URL("model.onnx", import.meta.url) starts at the topology file',
      cause,
    });
  }
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of handle.createReadStream({ start: 0, autoClose: false })) hash.update(part);
  return hash.digest('hex');
}
