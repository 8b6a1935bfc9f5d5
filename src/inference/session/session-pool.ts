import { MillraceError, providerName } from '../../core/index.js';
import type { Ask, LoadedModel } from '../workers/protocol.js';
import { checkUnchanged } from './model-source.js';
import { openSession, refusal, type Session } from './session.js';

type Declared = Ask<'load'>['providers'][number];

interface Resident {
  /** The digest of the file, the choice of tensors, and the provider. */
  readonly identity: string;
  readonly session: Session;
  /** The artifacts that it was loaded for. */
  readonly holders: Set<string>;
  /** What it took to open it. */
  readonly loadMs: number;
  /** The largest batch that it was warmed up for. */
  warm: number;
}

export interface SessionPool {
  load(model: Ask<'load'>): Promise<LoadedModel>;
  /** Releases the sessions that only this artifact holds. */
  unload(artifact: string): Promise<void>;
  session(number: number): Session;
  release(): Promise<void>;
}

/** What a session takes for each byte of its file, at least: its weights, and what kernels make of them. */
const MEMORY_A_BYTE = 1.2;

/** The sessions of a worker, one for each model, choice of tensors and provider; they stay until nobody holds them. */
export function sessionPool(open: typeof openSession = openSession): SessionPool {
  /** By the number that callers know. */
  const residents = new Map<number, Resident>();
  let lastNumber = -1;

  async function residentOf(model: Ask<'load'>, declared: Declared): Promise<readonly [number, Resident]> {
    const identity = JSON.stringify([model.digest, model.tensors, declared]);
    for (const known of residents) if (known[1].identity === identity) return known;
    const startedMs = performance.now();
    const session = await openUnchanged(model, declared);
    const loadMs = performance.now() - startedMs;
    const resident = { identity, session, holders: new Set<string>(), loadMs, warm: 0 };
    residents.set(++lastNumber, resident);
    return [lastNumber, resident];
  }

  async function openUnchanged(model: Ask<'load'>, declared: Declared): Promise<Session> {
    let session: Session;
    try {
      session = await open(model, declared);
    } catch (error) {
      // The reason may be that the file is another by now.
      checkUnchanged(model);
      throw error;
    }
    try {
      checkUnchanged(model);
    } catch (error) {
      await session.release();
      throw error;
    }
    return session;
  }

  async function releaseUnheld(): Promise<void> {
    for (const [number, { holders, session }] of residents) {
      if (holders.size > 0) continue;
      residents.delete(number);
      await session.release();
    }
  }

  return {
    async load(model) {
      const refusals: string[] = [];
      const before = process.memoryUsage.rss();
      for (const declared of model.providers) {
        const provider = providerName(declared);
        let number: number;
        let resident: Resident;
        try {
          [number, resident] = await residentOf(model, declared);
        } catch (error) {
          if (error instanceof MillraceError) throw error;
          refusals.push(refusal(provider, error));
          continue;
        }
        if (resident.warm < model.batchMax) {
          try {
            await resident.session.warmUp(model.batchMax, model.known);
          } catch (error) {
            // Nobody holds one that was refused.
            await releaseUnheld();
            if (error instanceof MillraceError) throw error;
            // A device may open a model that it cannot run.
            refusals.push(refusal(provider, error));
            continue;
          }
          resident.warm = model.batchMax;
        }
        // For batches of one more size it was open before: what it takes for its weights is counted.
        const isMore = resident.holders.has(model.artifact);
        resident.holders.add(model.artifact);
        const loadMs = isMore ? 0 : resident.loadMs;
        const { inputs, lengths, outputSize } = resident.session;
        const known = resident.session.known();
        const allBytes = model.fileBytes + (model.data ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
        const leastBytes = isMore ? 0 : Math.ceil(MEMORY_A_BYTE * allBytes);
        const memoryBytes = Math.max(leastBytes, process.memoryUsage.rss() - before);
        return { session: number, inputs, lengths, outputSize, ...known, provider, refusals, memoryBytes, loadMs };
      }
      throw new MillraceError('model', `no provider can run the model (${refusals.join('; ')})`, {
        hint: model.providers.includes('cpu')
          ? 'check that the file is a complete ONNX model'
          : "add 'cpu' to the end of the providers: it is there on every machine",
      });
    },

    async unload(artifact) {
      for (const { holders } of residents.values()) holders.delete(artifact);
      await releaseUnheld();
    },

    session(number) {
      const resident = residents.get(number);
      if (resident === undefined) throw new MillraceError('internal', `inference worker has no session ${number}`);
      return resident.session;
    },

    async release() {
      for (const { holders } of residents.values()) holders.clear();
      await releaseUnheld();
    },
  };
}
