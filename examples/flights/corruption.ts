import { reasons, type Side } from './names.js';
import { uniform } from './random.js';

/** What the pipeline must do with a record. */
export type Outcome = 'prediction' | 'learned' | 'duplicate' | 'dead-letter' | 'imputed' | 'unmatched' | 'tombstone';

/** One kind of corruption: how often, and what is expected to become of it. */
export interface CorruptionKind {
  readonly kind: string;
  /** Share of the flights beside or in which it is put. */
  readonly share: number;
  /** `added`: one more record, the flight's own stays whole. `in-place`: the flight's own record is changed. */
  readonly where: 'added' | 'in-place';
  readonly outcome: Outcome;
  /** Of the dead letter. */
  readonly reason?: string;
  /** Longest time after the flight's own record at which it stands in the log, in seconds. */
  readonly lagMaxSeconds?: number;
}

/**
 * The corruption, by topic. Nearly all of it is added beside whole flights, so that a corrupted run predicts the same flights as
 * a clean one; where a copy must not be taken for a duplicate it has an id of its own (`ghostId`). Tombstones can be
 * made, but are no part of the default: they are neither predicted nor dead.
 */
export const corruptionOf: Readonly<Record<Side, readonly CorruptionKind[]>> = {
  departed: [
    { kind: 'duplicate', share: 0.005, where: 'added', outcome: 'duplicate', lagMaxSeconds: 1_800 },
    { kind: 'truncated', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.truncated },
    { kind: 'random bytes', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.notWireFormat },
    {
      kind: 'unknown schema id',
      share: 0.0005,
      where: 'added',
      outcome: 'dead-letter',
      reason: reasons.schemaIdUnknown,
    },
    { kind: 'empty payload', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.notWireFormat },
    { kind: 'missing origin', share: 0.001, where: 'added', outcome: 'dead-letter', reason: reasons.nullOrigin },
    {
      kind: 'missing destination',
      share: 0.001,
      where: 'added',
      outcome: 'dead-letter',
      reason: reasons.nullDestination,
    },
    { kind: 'missing distance', share: 0.005, where: 'in-place', outcome: 'imputed' },
    { kind: 'negative distance', share: 0.001, where: 'added', outcome: 'dead-letter', reason: reasons.distance },
    { kind: 'absurd distance', share: 0.001, where: 'added', outcome: 'dead-letter', reason: reasons.distance },
    { kind: 'stale', share: 0.002, where: 'added', outcome: 'dead-letter', reason: reasons.stale },
    { kind: 'tombstone', share: 0, where: 'added', outcome: 'tombstone' },
  ],
  arrived: [
    { kind: 'duplicate', share: 0.005, where: 'added', outcome: 'duplicate', lagMaxSeconds: 1_800 },
    { kind: 'truncated', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.truncated },
    { kind: 'random bytes', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.notWireFormat },
    {
      kind: 'unknown schema id',
      share: 0.0005,
      where: 'added',
      outcome: 'dead-letter',
      reason: reasons.schemaIdUnknown,
    },
    { kind: 'empty payload', share: 0.0005, where: 'added', outcome: 'dead-letter', reason: reasons.notWireFormat },
    { kind: 'absurd delay', share: 0.001, where: 'added', outcome: 'dead-letter', reason: reasons.delay },
    { kind: 'no such flight', share: 0.002, where: 'added', outcome: 'unmatched' },
    { kind: 'tombstone', share: 0, where: 'added', outcome: 'tombstone' },
  ],
};

/** The same kinds of corruption with none of it: what `--clean` streams. */
export const noCorruption: typeof corruptionOf = {
  departed: corruptionOf.departed.map((kind) => ({ ...kind, share: 0 })),
  arrived: corruptionOf.arrived.map((kind) => ({ ...kind, share: 0 })),
};

/** Flights at the beginning of the file stay clean, so that there is something to impute from. */
const cleanFlights = 1_000;

const salts: Readonly<Record<Side, number>> = { departed: 1, arrived: 2 };
/** Salt of the second number of a flight: a lag, a place to cut, an absurd value. */
export const detailSalt = 16;

/** Chooses the corruption of a flight: its place in the list of kinds counted from 1, or 0 for none. At most one a topic. */
export function corruptionPicker(
  kinds: readonly CorruptionKind[],
  side: Side,
  seed: number,
): (flight: number) => number {
  let sum = 0;
  const bounds = kinds.map((kind) => (sum += kind.share));
  return (flight) => {
    if (flight < cleanFlights) return 0;
    const drawn = uniform(seed, salts[side], flight);
    if (drawn >= sum) return 0;
    return bounds.findIndex((bound) => drawn < bound) + 1;
  };
}

/** An id that no flight has: of an added record that must be neither a duplicate nor find a partner. */
export const ghostId = (flight: number): number => 1_000_000_000 + flight;
