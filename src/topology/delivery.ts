import { MillraceError } from '../core/errors.js';
import { INTERNAL } from '../core/internal.js';
import { type Delivery, type ProfileName, type WriteMode, writeModeOn } from '../core/kind.js';
import type { Sink } from '../core/sink.js';
import { subtopologiesOf } from './subtopologies.js';
import type { Topology } from './topology.js';

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

/** Rows that a sink's checkpoint keeps at most where the sink itself sets no bound. */
export const ROWS_MAX = 100_000;

/** What decides by the clock: of a topology, or of a sub-topology of it. */
type Deciding = Pick<Topology, 'sources' | 'steps'>;

/** Whether the clock may decide an order or an answer: a replay may decide otherwise, and only a checkpoint settles it. */
const isNondeterministic = ({ sources, steps }: Deciding): boolean =>
  sources.some(({ source }) => source.idleTimeout !== undefined) ||
  steps.some(({ shape }) => shape.shape === 'batched' && shape.nondeterministic === true) ||
  steps.some(({ shape }) => shape.shape === 'stateful' && shape.processingTimeInterval !== undefined);

/** Whether a sink of this sub-topology is written after the checkpoint where it is outside of the ledger's transaction, and how many rows wait at most. */
export const deferralIn = (subtopology: Deciding): ((sink: Sink<unknown>) => Sink<unknown>['deferred']) => {
  const settled = isNondeterministic(subtopology) ? Object.freeze({ rowsMax: ROWS_MAX }) : undefined;
  return (sink) => sink.deferred ?? settled;
};

/**
 * A sink of a topology as runs write it, for who asks what it guarantees: deferred where its sub-topology has a clock that decides.
 *
 * @example
 * deliveryOn(profile)(sinkAsWritten(topology, 'history', sink));
 */
export function sinkAsWritten(topology: Topology, id: string, sink: Sink<unknown>): Sink<unknown> {
  const subtopology = subtopologiesOf(topology).find(({ sinks }) => sinks.some((each) => each.id === id));
  const deferred = subtopology && deferralIn(subtopology)(sink);
  return deferred === sink.deferred ? sink : { ...sink, deferred };
}

/**
 * The delivery guarantee of a sink on a profile, by what its connector says.
 *
 * @throws MillraceError `config` for a sink that carries no definition.
 * @example
 * describe(flightDelays, deliveryOn('cluster'));
 */
export const deliveryOn =
  (profile: ProfileName) =>
  ({ connector, definition, kind, deferred }: Sink<never>): Delivery => {
    if (connector === INTERNAL) return deliveryOf('transactional');
    if (definition !== undefined) return deliveryOf(writeModeOn(definition, profile), deferred !== undefined);
    throw new MillraceError('config', `nothing is known of a sink of kind '${kind}'`, {
      hint: 'create the sink by sinkOf(definition.kinds..., options)',
    });
  };
