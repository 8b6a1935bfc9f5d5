import type { FlightArrived } from '../../schemas/flight-arrived.v1.js';
import type { FlightDeparted } from '../../schemas/flight-departed.v1.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { Codec } from '../../src/core/schema.js';
import { detailSalt, ghostId } from './corruption.js';
import { arrivalSecond, departedMs, type Flights } from './flights.js';
import type { Side } from './names.js';
import type { Entry, TopicPlan } from './plan.js';
import { integer } from './random.js';

/** Codecs of both topics, in the wire format. */
export interface Encoders {
  readonly departed: Pick<Codec<FlightDeparted>, 'encode'>;
  readonly arrived: Pick<Codec<FlightArrived>, 'encode'>;
}

/** Bytes of the wire format before the value: a zero and the schema id. */
const headerBytes = 5;
const hourMs = 3_600_000;

/**
 * Makes the records of both topics, corruption included: a pure function of flights, seed and entry.
 *
 * The key is always the flight's real origin, and the record's timestamp the moment at which it stands in the log.
 *
 * @example
 * const make = recordMaker(flights, { departed, arrived }, 1);
 * await producer.send(topics.departed, [make(plan.departed, entryAt(plan.departed, 0))]);
 */
export function recordMaker(
  flights: Flights,
  encoders: Encoders,
  seed: number,
): (plan: TopicPlan, entry: Entry) => OutgoingRecord {
  const text = new TextEncoder();
  const keys = flights.airports.map((code) => text.encode(code));
  const encode: Record<Side, (flight: number, kind: string) => Uint8Array> = {
    departed: (flight, kind) => encoders.departed.encode(departedValue(flights, flight, kind, seed)),
    arrived: (flight, kind) => encoders.arrived.encode(arrivedValue(flights, flight, kind)),
  };
  return ({ side, kinds }, entry) => {
    const kind = kinds[entry.kind - 1]?.kind ?? '';
    const encoded = kind === 'tombstone' ? null : encode[side](entry.flight, kind);
    return {
      key: keys[flights.origin[entry.flight] ?? 0] ?? null,
      value: encoded && spoil(encoded, kind, seed, entry.flight),
      timestampMs: entry.second * 1_000,
    };
  };
}

function departedValue(flights: Flights, flight: number, kind: string, seed: number): FlightDeparted {
  const at = departedMs(flights, flight);
  const origin = flights.airports[flights.origin[flight] ?? 0] ?? '';
  const destination = flights.airports[flights.destination[flight] ?? 0] ?? '';
  const distance = flights.distanceMiles[flight] ?? 0;
  const utcOffsetMinutes = flights.utcOffsetMinutes[flight] ?? 0;
  const whole = { flightId: flight, departedAt: at, utcOffsetMinutes, origin, destination, distance };
  const ghost = ghostId(flight);
  switch (kind) {
    case 'missing origin':
      return { ...whole, flightId: ghost, origin: null };
    case 'missing destination':
      return { ...whole, flightId: ghost, destination: null };
    case 'missing distance':
      return { ...whole, distance: null };
    case 'negative distance':
      return { ...whole, flightId: ghost, distance: -distance };
    case 'absurd distance':
      return { ...whole, flightId: ghost, distance: 1e7 };
    case 'stale':
      return { ...whole, flightId: ghost, departedAt: at - integer(seed, detailSalt, flight, 24, 72) * hourMs };
    default:
      return whole;
  }
}

function arrivedValue(flights: Flights, flight: number, kind: string): FlightArrived {
  const delayMinutes = flights.delayMinutes[flight] ?? 0;
  const whole = { flightId: flight, arrivedAt: arrivalSecond(flights, flight) * 1_000, delayMinutes };
  switch (kind) {
    case 'absurd delay':
      return { ...whole, flightId: ghostId(flight), delayMinutes: flight % 2 ? 100_000 : -100_000 };
    case 'no such flight':
      return { ...whole, flightId: ghostId(flight) };
    default:
      return whole;
  }
}

/** Turns a good payload into the malformed one that `kind` asks for. */
function spoil(bytes: Uint8Array, kind: string, seed: number, flight: number): Uint8Array {
  switch (kind) {
    case 'truncated':
      return bytes.subarray(0, integer(seed, detailSalt, flight, headerBytes, bytes.length - 1));
    case 'random bytes':
      // Not a zero in front, or it would look like the wire format.
      return Uint8Array.from(bytes, (_, i) => integer(seed, detailSalt + 1 + i, flight, i === 0 ? 1 : 0, 255));
    case 'unknown schema id':
      return withSchemaId(bytes, integer(seed, detailSalt, flight, 2 ** 30, 2 ** 31 - 2));
    case 'empty payload':
      return new Uint8Array(0);
    default:
      return bytes;
  }
}

function withSchemaId(bytes: Uint8Array, id: number): Uint8Array {
  // Not `slice`: on a Buffer that is a view, and the codec's own memory lies behind it.
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  view.setInt32(1, view.getInt32(1) === id ? id + 1 : id);
  return copy;
}
