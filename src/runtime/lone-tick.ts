import type { Origin, Tick } from '../core/index.js';
import type { Topology } from '../topology/index.js';
import { emptyShare, type Round } from './merge.js';

/** Whose a tick without a record is: what it emits comes from a record that is in no topic. No real one has that identity. */
export type NoRecord = Pick<Origin, 'topic' | 'partition' | 'offset' | 'receivedAtMs'>;

/**
 * A round without records in which time moves on. It counts as one record in flight, so that a drain waits for what it
 * emits, at the event time `eventTimeMs` where steps do not say another one.
 */
export function loneTick(topology: Topology, of: NoRecord, eventTimeMs: number, tick: Omit<Tick, 'origin'>): Round {
  const origin: Origin = {
    ...of,
    eventTimeMs: Math.max(0, eventTimeMs),
    key: null,
    raw: null,
    headers: undefined,
    order: 0,
  };
  return { shares: topology.sources.map(emptyShare), records: 1, ticks: [{ ...tick, origin }] };
}
