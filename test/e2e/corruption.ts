import type { Side } from '../../examples/flights/names.js';
import { decodeArrived, decodeDeparted, type LogRecord, schemaIdOf } from './records.js';

const hourMs = 3_600_000;
/** Ids from here on belong to added records that are no flight. */
const ghosts = 1_000_000_000;

/**
 * Names the kind of corruption of each record by looking at its bytes: what a reader of the log would say, who knows what the
 * loader can do but not what it did. A flight's own record is a `flight`, whatever its values.
 */
export function kindsOf(side: Side, log: readonly LogRecord[], ownSchemaId: number): readonly string[][] {
  const seen = new Set<number>();
  return log.map(({ value, timestampMs }) => {
    if (value === null) return ['tombstone'];
    if (value.length === 0) return ['empty payload'];
    if (value[0] !== 0) return ['random bytes'];
    if (schemaIdOf(value) !== ownSchemaId) return ['unknown schema id'];
    try {
      return side === 'departed' ? departedKinds(value, timestampMs, seen) : arrivedKinds(value, seen);
    } catch {
      return ['truncated'];
    }
  });
}

function departedKinds(value: Buffer, timestampMs: number, seen: Set<number>): string[] {
  const { flightId, departedAt, origin, destination, distance } = decodeDeparted(value);
  if (seen.has(flightId)) return ['duplicate'];
  seen.add(flightId);
  if (flightId < ghosts) return distance === null ? ['flight', 'missing distance'] : ['flight'];
  if (origin === null) return ['missing origin'];
  if (destination === null) return ['missing destination'];
  if (departedAt < timestampMs - 12 * hourMs) return ['stale'];
  return [(distance ?? 0) < 0 ? 'negative distance' : 'absurd distance'];
}

function arrivedKinds(value: Buffer, seen: Set<number>): string[] {
  const { flightId, delayMinutes } = decodeArrived(value);
  if (seen.has(flightId)) return ['duplicate'];
  seen.add(flightId);
  const absurd = delayMinutes < -180 || delayMinutes > 2_000;
  if (flightId >= ghosts) return [absurd ? 'absurd delay' : 'no such flight'];
  return [absurd ? 'absurd delay in the data itself' : 'flight'];
}
