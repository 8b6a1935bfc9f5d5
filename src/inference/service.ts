import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type InferenceService, MillraceError, type ModelHandle, type ModelSpec } from '../core/index.js';
import { type ModelFile, type ServedModel, serveModel } from './model.js';
import { workerLink } from './worker-link.js';

export interface InferenceOptions {
  /** Hears what a run should know and survives: a declared provider that is not there. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Micro-batched scoring of ONNX models in one worker thread, shared by all tasks of the process.
 *
 * Relative paths are resolved against the working directory. A model is loaded once for each digest, however many tasks
 * open it, and stays loaded until `close`; tasks that open it with the same limits fill the same batches. Every model is
 * checked while it loads: what it takes and gives, the provider that really runs it, and on the CPU that the bits of a
 * row's score do not depend on its batch, so that a replay gives the same predictions: for each of the lengths that rows may
 * have. Only rows of one length share a batch, so what a row is padded to never depends on its company.
 *
 * Guarantees: calls on a handle are answered in the order made. A row that fails by itself is named in `failures` and
 * the others are answered; memory that runs out makes smaller batches; a worker that dies rejects the calls it was
 * working on and is started again by the next one. An idle service does not keep the process alive.
 *
 * Errors: `MillraceError('model')`, with the file in `where`.
 *
 * Memory: per model the file's bytes twice, what the runtime needs for `batchMax` rows, and a few input buffers; plus the
 * rows that callers have outstanding. The first model costs about 50 MB for the thread and the runtime.
 *
 * @example
 * const inference = createInference({ onWarning: (message) => log.warn(message) });
 * const risk = await inference.open({ model: 'models/risk.onnx', batchMax: 256, waitMax: 5, providers: ['cuda', 'cpu'] });
 * const { scores } = await risk.run(rows.length, (row, [features], place) => features.set(rows[row], place * 11));
 * await inference.close();
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
      // A model that could not be loaded may be tried again.
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
