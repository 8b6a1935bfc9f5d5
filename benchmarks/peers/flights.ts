import { departedMs, type Flights, readFlightsAlone } from '../../examples/flights/flights.js';
import type { OutgoingRecord } from '../../src/core/index.js';
import { partitionOf } from '../../src/core/partition.js';
import { cyclic, featureView, hashed, numeric } from '../../src/ml/features/index.js';

/** A flight as it lies in the topic, in JSON: with its outcome, so that a model can predict it and learn it at once. */
export interface FlightRecord {
  readonly flightId: number;
  readonly departedAt: number;
  readonly origin: string;
  readonly destination: string;
  readonly carrier: string;
  readonly distance: number;
  readonly delayMinutes: number;
}

/** What is said of a flight. */
export interface FlightPrediction {
  readonly flightId: number;
  readonly origin: string;
  readonly destination: string;
  readonly departedAt: number;
  /** By the model that learns. */
  readonly late: number;
  /** By the ONNX model; its inputs mean other things than those it was trained on, and cost the same. */
  readonly risk: number;
}

const minutes = ({ departedAt }: FlightRecord) => Math.floor(departedAt / 60_000);
const hour = (flight: FlightRecord) => Math.floor(minutes(flight) / 60) % 24;
const day = (flight: FlightRecord) => Math.floor(minutes(flight) / 1_440);

/** Features of the record alone: 11 dense ones, as the model takes, and 7 hashed ones. `Features.java` makes the same. */
export const peerFeatures = featureView({
  name: 'peer-flights',
  version: 1,
  hashBits: 15,
  columns: {
    origin: (f: FlightRecord) => f.origin,
    destination: (f: FlightRecord) => f.destination,
    carrier: (f: FlightRecord) => f.carrier,
    distance: (f: FlightRecord) => f.distance,
    hour,
    halfHour: (f: FlightRecord) => Math.floor(minutes(f) / 30) % 48,
    minute: (f: FlightRecord) => minutes(f) % 60,
    weekday: (f: FlightRecord) => (day(f) + 4) % 7,
    dayOfYear: (f: FlightRecord) => day(f) % 365,
  },
  features: {
    distance: numeric('distance', { center: 700, scale: 600 }),
    hour: cyclic('hour', 24),
    halfHour: cyclic('halfHour', 48),
    minute: cyclic('minute', 60),
    weekday: cyclic('weekday', 7),
    dayOfYear: cyclic('dayOfYear', 365),
    originIs: hashed('origin'),
    destinationIs: hashed('destination'),
    carrierIs: hashed('carrier'),
    route: hashed('origin', 'destination'),
    originAtHour: hashed('origin', 'hour'),
    destinationAtHour: hashed('destination', 'hour'),
    carrierAtOrigin: hashed('carrier', 'origin'),
  },
});

/** Flights are numbered from here. */
export const FIRST_FLIGHT = 1_000_000;
/** One record in so many is a copy of the one before it. */
const COPY_EVERY = 100;
const CARRIERS = ['AA', 'AS', 'CO', 'DL', 'HP', 'NW', 'TW', 'UA', 'US', 'WN'] as const;
/** Flights of the file; more records are its flights again, under new ids and at later times. */
const FILE_MAX = 3_000_000;
const DAY_MS = 86_400_000;

/** Records on their way into one partition. */
export interface Part {
  readonly partition: number;
  readonly records: readonly OutgoingRecord[];
}

/** Real flights, kept as columns, and the records of any number of them. */
export class FlightLog {
  private readonly order: Uint32Array;
  private readonly spanMs: number;

  private constructor(private readonly flights: Flights) {
    this.order = Uint32Array.from(flights.departedMinute.keys()).sort(
      (a, b) => (flights.departedMinute[a] as number) - (flights.departedMinute[b] as number),
    );
    const first = departedMs(flights, this.order[0] as number);
    const last = departedMs(flights, this.order[this.order.length - 1] as number);
    this.spanMs = Math.ceil((last - first) / DAY_MS) * DAY_MS;
  }

  static async open(recordsMax: number): Promise<FlightLog> {
    return new FlightLog(await readFlightsAlone(Math.min(recordsMax, FILE_MAX)));
  }

  /** Records in the order of their times, keyed by route, in pieces of one partition each. */
  *parts(records: number, partitions: number, partRecords = 20_000): Generator<Part> {
    const collected: OutgoingRecord[][] = Array.from({ length: partitions }, () => []);
    let before: readonly [partition: number, record: OutgoingRecord] | undefined;
    for (let n = 0, place = 0; n < records; n++) {
      const isCopy = before !== undefined && n % COPY_EVERY === 0;
      const made = isCopy && before ? before : this.recordAt(place++, partitions);
      before = made;
      const [partition, record] = made;
      const part = collected[partition] as OutgoingRecord[];
      part.push(record);
      if (part.length < partRecords) continue;
      yield { partition, records: part };
      collected[partition] = [];
    }
    for (const [partition, part] of collected.entries()) if (part.length > 0) yield { partition, records: part };
  }

  private recordAt(place: number, partitions: number): readonly [number, OutgoingRecord] {
    const { flights, order, spanMs } = this;
    const round = Math.floor(place / order.length);
    const at = order[place % order.length] as number;
    const origin = flights.airports[flights.origin[at] as number] as string;
    const destination = flights.airports[flights.destination[at] as number] as string;
    const timestampMs = departedMs(flights, at) + round * spanMs;
    const flight: FlightRecord = {
      flightId: FIRST_FLIGHT + place,
      departedAt: timestampMs,
      origin,
      destination,
      carrier: CARRIERS[(at * 7 + (flights.origin[at] as number)) % CARRIERS.length] as string,
      distance: flights.distanceMiles[at] as number,
      delayMinutes: flights.delayMinutes[at] as number,
    };
    const key = Buffer.from(`${origin}-${destination}`);
    return [partitionOf(key, partitions), { key, value: Buffer.from(JSON.stringify(flight)), timestampMs }];
  }
}
