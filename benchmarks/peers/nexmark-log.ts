import { AuctionV1 } from '../../schemas/nexmark/auction.js';
import { BidV1 } from '../../schemas/nexmark/bid.js';
import { PersonV1 } from '../../schemas/nexmark/person.js';
import type { OutgoingRecord } from '../../src/core/index.js';
import { partitionOf } from '../../src/core/partition.js';
import { localRegistry, openCodec } from '../../src/schema/index.js';
import { type NexmarkEvent, nexmarkEvents } from '../../topologies/nexmark/generator.js';
import type { Part } from './flights.js';

export type Kind = NexmarkEvent['kind'];
type Encode = (event: NexmarkEvent['value']) => Uint8Array;

/** A lap: more events are the same ones again, under new ids and at later times. */
const EVENTS = 100_000;
const EVERY_MS = 1;
const LAP_MS = EVENTS * EVERY_MS;
/** How many of its events are of each kind. */
const SHARES = { persons: EVENTS / 50, auctions: (3 * EVENTS) / 50, bids: (46 * EVENTS) / 50 } as const;
/** The laps until the last event of a partition, which closes all windows before it. Those of two kinds do not meet. */
const LAPS_TO_END = { persons: 10, auctions: 20, bids: 30 } as const;

/** The number of laps in which there are so many events of these kinds. */
export const lapsOf = (records: number, kinds: readonly Kind[]): number =>
  Math.ceil(records / kinds.reduce((sum, kind) => sum + SHARES[kind], 0));

/** The events of Nexmark as records in Avro, a thousand a second, up to two seconds out of order. */
export class NexmarkLog {
  private readonly lap = nexmarkEvents({
    events: EVENTS,
    seed: 1,
    everyMs: EVERY_MS,
    disorderMs: 2_000,
    startMs: 1_750_000_000_000,
  });

  private constructor(private readonly encode: Readonly<Record<Kind, Encode>>) {}

  static async open(): Promise<NexmarkLog> {
    const registry = localRegistry();
    const [person, auction, bid] = [
      await openCodec(PersonV1, registry),
      await openCodec(AuctionV1, registry),
      await openCodec(BidV1, registry),
    ];
    return new NexmarkLog({
      persons: (value) => person.encode(value as never),
      auctions: (value) => auction.encode(value as never),
      bids: (value) => bid.encode(value as never),
    });
  }

  /** The records of a kind in the order of their arrival, one lap after another, and one more in each partition that closes all windows. */
  *parts(kind: Kind, laps: number, partitions: number): Generator<Part> {
    const events = this.lap.filter((event) => event.kind === kind);
    for (let lap = 0; lap < laps; lap++) {
      const collected: OutgoingRecord[][] = Array.from({ length: partitions }, () => []);
      for (const event of events) {
        const record = this.recordOf(event, lap);
        collected[partitionOf(record.key as Uint8Array, partitions)]?.push(record);
      }
      for (const [partition, records] of collected.entries()) yield { partition, records };
    }
    // Not one that a query would keep until later, as q3 does with category 10.
    const last = events.findLast(({ value }) => !('category' in value && value.category === 10)) as NexmarkEvent;
    for (let partition = 0; partition < partitions; partition++)
      yield { partition, records: [this.recordOf(last, laps + LAPS_TO_END[kind])] };
  }

  private recordOf(event: NexmarkEvent, lap: number): OutgoingRecord {
    const { kind, value, arrivalMs } = later(event, lap);
    return {
      key: Buffer.from(String(kind === 'bids' ? value.auction : value.id)),
      value: this.encode[kind](value),
      timestampMs: arrivalMs,
    };
  }
}

/** An event some laps later. */
function later(event: NexmarkEvent, lap: number): NexmarkEvent {
  const ms = lap * LAP_MS;
  const persons = lap * SHARES.persons;
  const auctions = lap * SHARES.auctions;
  const { kind, value } = event;
  const arrivalMs = event.arrivalMs + ms;
  const dateTime = value.dateTime + ms;
  switch (kind) {
    case 'persons':
      return { kind, arrivalMs, value: { ...value, id: value.id + persons, dateTime } };
    case 'auctions': {
      const { id, seller, expires } = value;
      return {
        kind,
        arrivalMs,
        value: { ...value, id: id + auctions, seller: seller + persons, dateTime, expires: expires + ms },
      };
    }
    case 'bids': {
      const { auction, bidder } = value;
      return { kind, arrivalMs, value: { ...value, auction: auction + auctions, bidder: bidder + persons, dateTime } };
    }
  }
}
