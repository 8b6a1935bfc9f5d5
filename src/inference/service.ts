import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InferenceService, MillraceError, type ModelHandle, type ModelSpec } from '../core/index.js';
import { type ModelFile, type ServedModel, serveModel } from './model.js';
import { workerLink } from './worker-link.js';

export interface InferenceOptions {
  /** Called with problems that a run survives, such as a declared provider that is not available. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Micro-batched scoring of ONNX models in one worker thread, shared by all tasks of the process.
 *
 * Relative paths are resolved against the working directory. A model is loaded once per digest, however many tasks open it, and
 * stays loaded until `close`. Tasks that open it with the same limits fill the same batches. Every model is checked while it loads:
 * its inputs and outputs, the provider that runs it, and on the CPU, for each possible length of rows, that the bits of a row's
 * score do not depend on its batch, so that a replay gives the same predictions. Only rows of one length share a batch, so the
 * padding of a row never depends on other rows.
 *
 * Guarantees: calls on a handle are answered in the order made. A row that fails on its own is named in `failures`, and the others
 * are answered. If memory runs out, batches get smaller. If the worker dies, its current calls are rejected, and the next call
 * restarts it. An idle service does not keep the process alive.
 *
 * Errors: `MillraceError('model')`, with the file in `where`.
 *
 * Memory: per model twice the file's bytes, the runtime's memory for `batchMax` rows, and a few input buffers; plus the rows of the
 * callers. The first model takes about 50 MB for the thread and the runtime.
 *
 * @example const inference = createInference({ onWarning: (message) => log.warn(message) }); const risk = await inference.open({
 * model: 'models/risk.onnx', batchMax: 256, waitMax: 5, providers: ['cuda', 'cpu'] }); const { scores } = await
 * risk.run(rows.length, (row, [features], place) => features.set(rows[row], place * 11)); await inference.close();
 */
export function createInference({ onWarning = () => {} }: InferenceOptions = {}): InferenceService {
  const link = workerLink();
  const models = new Map<string, Promise<ServedModel>>();
  let closed: Promise<void> | undefined;

  function served(file: ModelFile, spec: ModelSpec): Promise<ServedModel> {
    const identity = JSON.stringify([file.digest, spec.providers, spec.batchMax, spec.waitMax, spec.tensors]);
    let model = models.get(identity);
    if (model === undefined) {
      model = serveModel(file, spec, link, onWarning);
      models.set(identity, model);
      // A model that could not be loaded may be retried.
      model.catch(() => models.delete(identity));
    }
    return model;
  }

  async function open(spec: ModelSpec): Promise<ModelHandle> {
    checkSpec(spec);
    const file = await readModel(spec.model);
    return (await served(file, spec)).handle;
  }

  async function shutDown(): Promise<void> {
    for (const model of await Promise.allSettled(models.values())) {
      if (model.status === 'rejected') continue;
      model.value.scheduler.flush();
      await model.value.scheduler.idle();
    }
    await link.close();
  }

  return {
    open,
    close() {
      closed ??= shutDown();
      return closed;
    },
  };
}

function checkSpec({ batchMax, waitMax, providers }: ModelSpec): void {
  const refuse = (message: string, hint: string): never => {
    throw new MillraceError('model', message, { hint });
  };
  if (!Number.isSafeInteger(batchMax) || batchMax < 1)
    refuse(`batchMax is ${batchMax}`, 'give a number of rows, from 1');
  if (!(waitMax >= 0)) refuse(`waitMax is ${waitMax}`, 'give milliseconds, from 0');
  if (providers.length === 0) refuse('no provider is declared', "give at least one, e.g. ['cpu']");
}

async function readModel(model: string | URL): Promise<ModelFile> {
  const name = typeof model === 'string' ? resolve(model) : fileURLToPath(model);
  try {
    const bytes = await readFile(name);
    return { name, bytes, digest: createHash('sha256').update(bytes).digest('hex') };
  } catch (cause) {
    throw new MillraceError('model', `the model file ${name} cannot be read`, {
      where: name,
      hint: 'relative paths start at the working directory; new URL("model.onnx", import.meta.url) starts at the topology file',
      cause,
    });
  }
}
