import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorMap } from 'node:util';
import { MillraceError } from '../core/index.js';
import { type DataFile, digestOfAll, externalFiles } from './external-data.js';

/** A model's file. Workers read it each time that they load it: its bytes are not kept beside the sessions. */
export interface ModelFile {
  /** The path, in messages. */
  readonly name: string;
  /** Where threads and processes of this one find it. */
  readonly place: string;
  /** Of the file, and of its data where there are any. */
  readonly digest: string;
  readonly bytes: number;
  /** The files beside it that hold weights. */
  readonly data: readonly DataFile[];
  close(): Promise<void>;
}

/** Exporters write one, or one for each tensor. Each stays open. */
const DATA_FILES_MAX = 256;

/**
 * Opens a model's file, and those beside it that hold its weights, and takes their digest.
 *
 * The files stay open. On Linux one that is replaced (renamed over) or removed is so still there for a worker that comes back, and only one
 * that is overwritten in place is lost.
 *
 * Throws `MillraceError('model')` if one cannot be read, or lies elsewhere than in the model's folder.
 */
export async function openModelFile(model: string | URL): Promise<ModelFile> {
  const name = typeof model === 'string' ? resolve(model) : fileURLToPath(model);
  const opened: FileHandle[] = [];
  const openFile = async (path: string, hint: string) => {
    try {
      const handle = await open(path);
      opened.push(handle);
      const { size } = await handle.stat();
      const place = process.platform === 'linux' ? `/proc/${process.pid}/fd/${handle.fd}` : path;
      return { fd: handle.fd, place, bytes: size, digest: await digestOf(handle) };
    } catch (cause) {
      throw new MillraceError('model', `the model file ${path} cannot be read${whyNot(cause)}`, {
        where: name,
        hint,
        cause,
      });
    }
  };
  try {
    const file = await openFile(name, BESIDE_TOPOLOGY);
    const parts: (DataFile & { readonly digest: string })[] = [];
    for (const path of locationsOf(name, file))
      parts.push({ path, ...(await openFile(join(dirname(name), path), BESIDE_MODEL)) });
    return {
      ...{ name, place: file.place, bytes: file.bytes, digest: digestOfAll(file.digest, parts) },
      data: parts.map(({ path, place, bytes }) => ({ path, place, bytes })),
      close: async () => void (await Promise.all(opened.map((handle) => handle.close()))),
    };
  } catch (error) {
    await Promise.all(opened.map((handle) => handle.close()));
    throw error;
  }
}

const BESIDE_TOPOLOGY =
  'relative paths start at the working directory; new URL("model.onnx", import.meta.url) starts at the topology file';
const BESIDE_MODEL = 'the model has weights in this file: keep it beside the model, under this name';

/** The files with weights, which the model may have in its own folder only. */
function locationsOf(name: string, { fd, bytes }: { readonly fd: number; readonly bytes: number }): readonly string[] {
  const files = externalFiles(fd, bytes);
  const refuse = (message: string, hint: string): never => {
    throw new MillraceError('model', message, { where: name, hint });
  };
  const stray = files.find(({ path }) => isAbsolute(path) || normalize(path).startsWith('..'));
  if (stray !== undefined)
    return refuse(`the model has weights in '${stray.path}', which is not in its folder`, IN_ONE_FILE);
  const inner = files.find(({ isOfSubgraph }) => isOfSubgraph);
  if (inner !== undefined)
    return refuse(
      `the model has weights of an If, Loop or Scan in '${inner.path}', and ONNX Runtime takes these from the model's file only`,
      IN_THE_MODEL,
    );
  if (files.length > DATA_FILES_MAX) return refuse(`the model has weights in ${files.length} files`, IN_ONE_FILE);
  return files.map(({ path }) => path);
}

const IN_ONE_FILE =
  'save it anew with its weights in one file beside it, or in it: onnx.save(..., all_tensors_to_one_file=True)';
const IN_THE_MODEL = 'save it anew with its weights in it: onnx.save(onnx.load(path), path)';

/** What the system says, such as `no such file or directory`. */
function whyNot(cause: unknown): string {
  const [, words] = getSystemErrorMap().get((cause as { readonly errno?: number }).errno ?? 0) ?? [];
  return words === undefined ? '' : ` (${words})`;
}

async function digestOf(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of handle.createReadStream({ start: 0, autoClose: false })) hash.update(part);
  return hash.digest('hex');
}
