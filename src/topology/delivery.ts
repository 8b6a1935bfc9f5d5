import type { Delivery, WriteMode } from '../core/kind.js';

/**
 * What a sink can promise, given how its writes relate to the checkpoint: computed, never claimed.
 *
 * In the ledger's own transaction a write exists exactly when the checkpoint does. So it does, a little later, for one that
 * is made out of sight and shown by a repeatable step after the checkpoint, and for a repeatable one that is made from rows kept in the checkpoint. Otherwise a repeatable write may be made twice and counts
 * once; an appended one is doubled by every replay.
 *
 * @example
 * deliveryOf('idempotent'); // 'effectively-once'
 */
export function deliveryOf(mode: WriteMode, deferred = false): Delivery {
  if (mode === 'idempotent' && deferred) return 'exactly-once';
  const deliveries = {
    transactional: 'exactly-once',
    prepared: 'exactly-once',
    idempotent: 'effectively-once',
    append: 'at-least-once',
  } as const;
  return deliveries[mode];
}
