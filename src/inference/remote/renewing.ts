import { MillraceError, type ModelHandle, messageOf } from '../../core/index.js';
import { checkAlike } from '../chain.js';
import type { RemoteModel } from './remote-model.js';

/**
 * A remote model that takes what its server has by then, once its own version is gone: a fallback chain keeps a model for as long as it
 * runs. A check begins that, and rejects until the next one is open, so that no row waits for it. Until then the gone one is asked.
 *
 * Memory: one model.
 */
export function renewing(first: RemoteModel, reopen: () => Promise<RemoteModel>): RemoteModel {
  let current = first;
  let isOpening = false;
  let why: unknown;

  async function renew(): Promise<void> {
    if (isOpening) return;
    isOpening = true;
    try {
      const next = await reopen();
      checkAlike(first.handle, next.handle, next.handle.version);
      current = next;
      why = undefined;
    } catch (error) {
      why = error;
    } finally {
      isOpening = false;
    }
  }

  async function check(): Promise<void> {
    if (!current.isGone()) return await current.handle.check();
    const last = why;
    void renew();
    throw new MillraceError(
      'inference',
      last === undefined ? 'the next model of the server is being opened' : messageOf(last),
      { where: first.handle.version, cause: last, hint: 'the next of its fallback chain answers meanwhile' },
    );
  }

  const { inputs, lengths, outputSize, provider } = first.handle;
  const handle: ModelHandle = {
    ...{ inputs, lengths, outputSize, provider, check },
    get version() {
      return current.handle.version;
    },
    run: (...call) => current.handle.run(...call),
    flush: () => current.handle.flush(),
    stats: () => current.handle.stats(),
  };
  return {
    ...first,
    handle,
    get breaker() {
      return current.breaker;
    },
  };
}
