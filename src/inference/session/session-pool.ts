import { MillraceError, providerName } from '../../core/index.js';
import type { Ask, LoadedModel } from '../workers/protocol.js';
import { openSession, refusal, type Session } from './session.js';

type Declared = Ask<'load'>['providers'][number];

interface Resident {
  /** The digest of the file, the choice of tensors, and the provider. */
  readonly identity: string;
  readonly session: Session;
  /** The largest batch that it was warmed up for. */
  warm: number;
}

export interface SessionPool {
  load(model: Ask<'load'>): Promise<LoadedModel>;
  session(number: number): Session;
  release(): Promise<void>;
}

/** The sessions of a worker, one for each model, choice of tensors and provider; they stay until the worker ends. */
export function sessionPool(
  open: (model: Ask<'load'>, declared: Declared) => Promise<Session> = openSession,
): SessionPool {
  const residents: Resident[] = [];

  async function residentOf(model: Ask<'load'>, declared: Declared): Promise<Resident> {
    const identity = JSON.stringify([model.digest, model.tensors, declared]);
    const known = residents.find((resident) => resident.identity === identity);
    if (known !== undefined) return known;
    const session = await open(model, declared);
    const resident = { identity, session, warm: 0 };
    residents.push(resident);
    return resident;
  }

  return {
    async load(model) {
      const refusals: string[] = [];
      for (const declared of model.providers) {
        const provider = providerName(declared);
        let resident: Resident;
        try {
          resident = await residentOf(model, declared);
        } catch (error) {
          if (error instanceof MillraceError) throw error;
          refusals.push(refusal(provider, error));
          continue;
        }
        if (resident.warm < model.batchMax) {
          await resident.session.warmUp(model.batchMax, model.isProven);
          resident.warm = model.batchMax;
        }
        const { inputs, lengths, outputSize } = resident.session;
        const curves = resident.session.curves();
        return { session: residents.indexOf(resident), inputs, lengths, outputSize, curves, provider, refusals };
      }
      throw new MillraceError('model', `no provider can run the model (${refusals.join('; ')})`, {
        hint: model.providers.includes('cpu')
          ? 'check that the file is a complete ONNX model'
          : "add 'cpu' to the end of the providers: it is there on every machine",
      });
    },

    session(number) {
      const resident = residents[number];
      if (resident === undefined) throw new MillraceError('internal', `inference worker has no session ${number}`);
      return resident.session;
    },

    async release() {
      for (const { session } of residents.splice(0)) await session.release();
    },
  };
}
