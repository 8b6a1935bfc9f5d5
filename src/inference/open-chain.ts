import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ModelHandle, type ModelSpec, messageOf } from '../core/index.js';
import { cascade, checkAlike, fallbackChain, type Link } from './chain.js';
import { type ModelBreaker, modelBreaker } from './model-breaker.js';

export interface Opened {
  readonly handle: ModelHandle;
  /** Shared by all who open the model on this provider. */
  readonly breaker: ModelBreaker;
  /** Whether it need not be loaded; without it, it never has to. */
  isInMemory?(): boolean;
}

type Open = (spec: ModelSpec) => Promise<Opened>;

/**
 * Opens a model with the one that is asked before it and those that answer in its place. Models that cannot be opened are left out with
 * a warning, as long as one of the chain is there; the cheap one of a cascade must be there, since it decides which one answers.
 *
 * Throws the error of the first model if none can be opened, and `MillraceError('model')` if they take or give other tensors.
 */
export async function openChain(
  spec: ModelSpec,
  open: Open,
  onWarning: (message: string) => void,
): Promise<ModelHandle> {
  const { fallback = [], cascade: with_ } = spec;
  const openMain = async (): Promise<Opened> => {
    const dear = await open(spec);
    if (with_ === undefined) return dear;
    const cheap = await open(with_.first);
    const { handle: first } = cheap;
    checkAlike(dear.handle, first, nameOf(with_.first));
    return {
      isInMemory: () => [cheap, dear].every((each) => each.isInMemory?.() ?? true),
      handle: cascade(first, dear.handle, with_, { nowMs, name: nameOf(with_.first) }),
      breaker: modelBreaker({ nowMs, random: Math.random }),
    };
  };
  if (fallback.length === 0) return (await openMain()).handle;

  const opened: { readonly spec: ModelSpec; readonly model: Opened }[] = [];
  const closed: { readonly spec: ModelSpec; readonly error: unknown }[] = [];
  for (const each of [spec, ...fallback]) {
    try {
      opened.push({ spec: each, model: await (each === spec ? openMain() : open(each)) });
    } catch (error) {
      closed.push({ spec: each, error });
    }
  }
  const [first] = opened;
  if (first === undefined) throw closed[0]?.error;
  for (const { spec: each, error } of closed)
    onWarning(`${nameOf(each)} cannot be opened, and the next of its chain answers: ${messageOf(error)}`);
  const links = opened.map(({ spec: each, model }): Link => {
    const { handle } = model;
    checkAlike(first.model.handle, handle, nameOf(each));
    const name = each === spec ? undefined : linkName(each, spec, handle);
    return {
      ...{ handle, name },
      isInMemory: () => model.isInMemory?.() ?? true,
      // Of a remote model it is that of the version which is asked.
      get breaker() {
        return model.breaker;
      },
    };
  });
  return fallbackChain(links as [Link, ...Link[]], {
    ...{ nowMs, isMissing: first.spec !== spec },
    isCascade: with_ !== undefined && first.spec === spec,
  });
}

const nowMs = () => performance.now();

/** What `degraded` says: the other model, or the other provider of the same one. */
const linkName = (spec: ModelSpec, first: ModelSpec, handle: ModelHandle): string =>
  `${spec.model}` === `${first.model}` ? handle.provider : nameOf(spec);

const nameOf = ({ model }: ModelSpec): string => basename(typeof model === 'string' ? model : fileURLToPath(model));
