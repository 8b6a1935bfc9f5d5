import type { Flights } from '../../../examples/flights/flights.js';
import type { Query } from '../../../examples/flights/sql.js';
import { type FlightArrived, FlightArrivedV1 } from '../../../schemas/flight-arrived.v1.js';
import { type FlightDeparted, FlightDepartedV1 } from '../../../schemas/flight-departed.v1.js';
import { partitionOf } from '../../../src/core/partition.js';
import type { TopicProducer } from '../../../src/core/profile.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import { localRegistry, openCodec, type WireCodec } from '../../../src/schema/index.js';

const airports = ['ATL', 'ORD', 'DFW', 'LAX', 'PHX', 'ANC', 'HNL', 'BOS', 'JFK', 'DEN'];

/** Flights like real ones: out of order in UTC, several a minute, some early and some very late. */
export function someFlights(size: number): Flights {
  const at = (id: number, step: number, mod: number) => (id * step) % mod;
  const column = <T extends Uint16Array | Int16Array | Uint32Array>(array: T, of: (id: number) => number): T => {
    for (let id = 0; id < size; id++) array[id] = of(id);
    return array;
  };
  const start = Date.UTC(2001, 0, 1, 5) / 60_000;
  return {
    size,
    airports,
    departedMinute: column(new Uint32Array(size), (id) => start + Math.floor(id / 7) + at(id, 97, 360)),
    utcOffsetMinutes: column(new Int16Array(size), (id) => -300 - 60 * at(id, 3, 6)),
    delayMinutes: column(new Int16Array(size), (id) => at(id, 31, 90) - 40),
    distanceMiles: column(new Uint16Array(size), (id) => 100 + at(id, 37, 2_500)),
    origin: column(new Uint16Array(size), (id) => at(id, 7, airports.length)),
    destination: column(new Uint16Array(size), (id) => at(id, 3, airports.length)),
    zoneAssumed: 0,
  };
}

export interface Codecs {
  readonly departed: WireCodec<FlightDeparted>;
  readonly arrived: WireCodec<FlightArrived>;
}

export async function openCodecs(): Promise<Codecs> {
  const registry = localRegistry([FlightDepartedV1, FlightArrivedV1]);
  return { departed: await openCodec(FlightDepartedV1, registry), arrived: await openCodec(FlightArrivedV1, registry) };
}

/** A log in memory. */
export interface MemoryLog {
  readonly producer: TopicProducer;
  readonly topics: Map<string, OutgoingRecord[][]>;
  readonly sends: number[];
  endOffsets(topic: string): Promise<readonly number[]>;
}

export function memoryLog(): MemoryLog {
  const topics = new Map<string, OutgoingRecord[][]>();
  const sends: number[] = [];
  return {
    topics,
    sends,
    async endOffsets(topic) {
      return (topics.get(topic) ?? []).map((partition) => partition.length);
    },
    producer: {
      async createTopic(topic, partitions = 1) {
        if (!topics.has(topic))
          topics.set(
            topic,
            Array.from({ length: partitions }, () => []),
          );
      },
      async send(topic, records) {
        sends.push(records.length);
        const log = topics.get(topic) ?? [];
        for (const record of records) log[partitionOf(record.key ?? new Uint8Array(), log.length)]?.push(record);
      },
      async append(topic, partition, records) {
        topics.get(topic)?.[partition]?.push(...records);
      },
      async close() {},
    },
  };
}

/** The ClickHouse engine inside this process, over a folder that no other test file uses. */
export async function openEngine(folder: string): Promise<{ query: Query; close(): void }> {
  const { Session } = await import('chdb');
  const session = new Session(folder);
  return {
    async query<T>(sql: string): Promise<T[]> {
      const result = await session.queryAsync(sql, { format: 'JSONEachRow' });
      return result
        .text()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T);
    },
    close: () => session.cleanup(),
  };
}
