import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '../../connectors/kafka/open.js';
import { FlightArrivedV1 } from '../../schemas/flight-arrived.v1.js';
import { FlightDepartedV1 } from '../../schemas/flight-departed.v1.js';
import type { OutgoingRecord } from '../../src/core/index.js';
import { confluentRegistry, openCodec } from '../../src/schema/index.js';
import { type FlightEvents, flightEvents } from '../work/flight-events.js';
import { serve } from './remote.js';
import { PARTITIONS, slotOf, topics } from './topology.js';

// A process of its own: writes flights to both topics for as long as it is let, the same ones lap after lap, with ids
// and times of their own, and never further ahead of their reader than it is told.

export interface FeedOrder {
  readonly broker: string;
  readonly registry: string;
  /** Flights of a lap. */
  readonly flights: number;
  /** Events that may be written and not yet read. */
  readonly aheadMax: number;
}

/** What was written, as the checkers must find it. */
export interface Fed {
  readonly departed: number;
  readonly arrived: number;
  /** JSON file: the last flight of every slot. */
  readonly slotsFile: string;
}

const DAY_MS = 86_400_000;
/** Events of a partition in one send. */
const CHUNK = 2_000;

let read = 0;
let ending = false;
let feeding: Promise<Omit<Fed, 'slotsFile'>> | undefined;
const slots: Record<string, number> = {};

const services = {
  async start(order: FeedOrder): Promise<void> {
    const events = await flightEvents(order.flights, PARTITIONS);
    feeding = feed(order, events);
    feeding.catch(() => undefined); // told when it is asked to finish
  },
  /** How many events were read so far. */
  advance(events: number): void {
    read = events;
  },
  async finish(slotsFile: string): Promise<Fed> {
    ending = true;
    if (!feeding) throw new Error('nothing was fed');
    const fed = await feeding;
    writeFileSync(slotsFile, JSON.stringify(slots));
    return { ...fed, slotsFile };
  },
};
export type FeederServices = typeof services;

async function feed({ broker, registry: url, flights, aheadMax }: FeedOrder, events: FlightEvents) {
  const registry = confluentRegistry({ url });
  const kafka = await openKafka({ brokers: [broker], registry });
  const producer = kafka.producer();
  const departedCodec = await openCodec(FlightDepartedV1, registry);
  const arrivedCodec = await openCodec(FlightArrivedV1, registry);
  const lapMs = lapOf(events);
  const chunks = Math.ceil(Math.max(...events.sizes) / CHUNK);
  const keys = new Map<number, Uint8Array>();
  let [departedCount, arrivedCount] = [0, 0];
  for (let lap = 0; !ending; lap++) {
    for (let chunk = 0; chunk < chunks; chunk++) {
      // A lap is always finished: only then is every flight that left one that arrives, and ids have no gaps.
      while (!ending && departedCount + arrivedCount - read > aheadMax) await sleep(20);
      const departures: OutgoingRecord[] = [];
      const arrivals: OutgoingRecord[] = [];
      for (const [partition, size] of events.sizes.entries()) {
        // All partitions come to the end of a lap together.
        const from = Math.floor((size * chunk) / chunks);
        const to = Math.floor((size * (chunk + 1)) / chunks);
        for (const event of events.slice(partition, from, to)) {
          const shiftMs = lap * lapMs;
          if (event.departed) {
            const { departed } = event;
            const flightId = lap * flights + departed.flightId;
            const departedAt = departed.departedAt + shiftMs;
            const key = Buffer.from(departed.origin ?? '');
            keys.set(flightId, key);
            slots[slotOf({ origin: departed.origin ?? '', flightId })] = flightId;
            const value = departedCodec.encode({ ...departed, flightId, departedAt });
            departures.push({ key, value, timestampMs: departedAt });
          } else {
            const { arrived } = event;
            const flightId = lap * flights + arrived.flightId;
            const arrivedAt = arrived.arrivedAt + shiftMs;
            const value = arrivedCodec.encode({ ...arrived, flightId, arrivedAt });
            arrivals.push({ key: keys.get(flightId) ?? null, value, timestampMs: arrivedAt });
            keys.delete(flightId);
          }
        }
      }
      await Promise.all([producer.send(topics.departed, departures), producer.send(topics.arrived, arrivals)]);
      departedCount += departures.length;
      arrivedCount += arrivals.length;
    }
  }
  await kafka.close();
  return { departed: departedCount, arrived: arrivedCount };
}

/** From a lap to the next: whole days, so that hours of the day stay what they are. */
function lapOf({ sizes, slice }: FlightEvents): number {
  const firsts = sizes.flatMap((_, partition) => slice(partition, 0, 1).map(({ timeMs }) => timeMs));
  const lasts = sizes.flatMap((size, partition) => slice(partition, size - 1, size).map(({ timeMs }) => timeMs));
  return Math.ceil((Math.max(...lasts) - Math.min(...firsts)) / DAY_MS) * DAY_MS;
}

serve(services);
