/**
 * How long does a record take at 10,000 records a second, from when it is due to be produced until a read_committed reader has its
 * result?
 *
 * Both sides are exactly-once with a commit every `epochMs`, on one broker beside them. A record is sent when it is due, whether
 * earlier ones were answered or not, and the time counts from then. `pass-through` copies bytes, by Millrace and by Kafka
 * Streams; `flights` is the whole pipeline of `kafka-streams`, by Millrace alone, since the peer holds a batch of its model back
 * until it is full. The seconds of the warm-up are not counted.
 */
import { strict as assert } from 'node:assert';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafka as specs } from '../connectors/kafka/index.js';
import type { Kafka } from '../connectors/kafka/open.js';
import { EARLIEST } from '../src/core/checkpoint.js';
import type { OutgoingRecord } from '../src/core/index.js';
import { bytes } from '../src/schema/index.js';
import type { Benchmark } from './benchmark.js';
import { withBroker } from './kafka/world.js';
import { type Spread, spreadOf } from './pairs.js';
import { kafkaStreamsCommand, millraceCommand } from './peers/commands.js';
import { FIRST_FLIGHT, FlightLog } from './peers/flights.js';
import type { Input, Order, Work } from './peers/order.js';
import { PeerProcess } from './peers/peer-process.js';
import { modelOfPeers } from './peers/side.js';

const PARTITIONS = 4;
/** How long the last results may take. */
const PATIENCE_MS = 30_000;

export const options = { rate: 10_000, seconds: 20, warmUpSeconds: 10, epochMs: 100, rounds: 5 };

const SHARES = [0.5, 0.99, 0.999] as const;

interface Feed {
  readonly rate: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

export const benchmark: Benchmark<typeof options> = async (progress, { rounds, epochMs, ...feed }) => {
  const kafkaStreams = await kafkaStreamsCommand(progress);
  const log = await FlightLog.open(feed.rate * (feed.seconds + feed.warmUpSeconds));
  return withBroker(progress, async (broker, kafka) => {
    const contestants = [
      ['pass-through', 'Kafka Streams', kafkaStreams],
      ['pass-through', 'Millrace', millraceCommand],
      ['flights', 'Millrace', millraceCommand],
    ] as const;
    const order = (work: Work, name: string): Order => ({
      ...{ broker, work, name, output: `${name}.out`, threads: 1, commitMs: epochMs, model: modelOfPeers },
      inputs: [{ topic: `${name}.in`, sizes: Array.from({ length: PARTITIONS }, () => 0) }],
    });
    const found: [name: string, quantiles: readonly number[]][] = [];
    for (let round = 0; round < rounds; round++) {
      for (const [work, side, command] of contestants) {
        const name = `latency-${side.toLowerCase().replace(' ', '-')}-${work}-${round}`;
        const latencies = await latenciesOf(new PeerProcess(command), kafka, order(work, name), log, feed);
        const shown = SHARES.map((share) => quantile(latencies, share));
        found.push([`${work}, ${side}`, shown]);
        const [p50 = 0, p99 = 0, p999 = 0] = shown.map(Math.round);
        progress(`round ${round + 1}/${rounds}  ${work}, ${side}: p50 ${p50}, p99 ${p99}, p99.9 ${p999} ms`);
      }
    }
    const figures: Record<string, Spread> = {};
    const spread = (name: string, at: number, less = 0) =>
      spreadOf(found.flatMap(([whose, shown]) => (whose === name ? [(shown[at] as number) - less] : [])));
    for (const [work, side] of contestants) {
      const name = `${work}, ${side}`;
      for (const [at, share] of SHARES.entries()) figures[`${name}, p${100 * share}`] = spread(name, at);
    }
    figures['flights, Millrace, p99 beyond the epoch'] = spread('flights, Millrace', 1, epochMs);
    return { unit: 'ms from due to read, exactly-once', figures, ratios: {} };
  });
};

/** Runs a peer over a live feed; resolves to the sorted latencies, in milliseconds. */
async function latenciesOf(peer: PeerProcess, kafka: Kafka, order: Order, log: FlightLog, feed: Feed) {
  const { inputs, output, name } = order;
  const input = (inputs[0] as Input).topic;
  await Promise.all([input, output].map((topic) => kafka.createTopic(topic, PARTITIONS)));
  const records = feed.rate * (feed.seconds + feed.warmUpSeconds);
  const dueMs = new Float64Array(records);
  const doneMs = new Float64Array(records);
  let answered = 0;
  const readers = await Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      kafka.source.open(specs.source({ topic: output, schema: bytes({ subject: 'read' }) }), {
        ...{ task: { topology: name, partition }, partition, offset: EARLIEST, bounded: false, step: 'read' },
      }),
    ),
  );
  let isOver = false;
  const reading = readers.map(async (reader) => {
    while (!isOver) {
      const { records: read } = await reader.poll(feed.rate);
      const nowMs = performance.now();
      for (const { value } of read) {
        const at = (JSON.parse(Buffer.from(value as Uint8Array).toString()) as { flightId: number }).flightId;
        // A copy of a flight is sent right behind it, and not every work answers it.
        if (doneMs[at - FIRST_FLIGHT] === 0) answered++;
        doneMs[at - FIRST_FLIGHT] = nowMs;
      }
    }
    await reader.close();
  });
  let flights = 0;
  try {
    const sending = send(kafka, input, log, feed, dueMs);
    await Promise.race([Promise.all([peer.start(order), sending]), peer.failure]);
    flights = await sending;
    for (const giveUpMs = Date.now() + PATIENCE_MS; answered < flights && Date.now() < giveUpMs; ) await sleep(20);
    assert.equal(answered, flights, `${name}: flights answered`);
    await peer.stop();
  } finally {
    peer.end();
    isOver = true;
    await Promise.all(reading);
  }
  const first = feed.rate * feed.warmUpSeconds;
  return doneMs
    .subarray(0, flights)
    .map((ms, at) => ms - (dueMs[at] as number))
    .subarray(first)
    .sort();
}

/**
 * Sends what is due, request by request: what becomes due meanwhile waits for the next one, and its time counts. Resolves to the
 * number of flights among the records.
 */
async function send(kafka: Kafka, input: string, log: FlightLog, feed: Feed, dueMs: Float64Array): Promise<number> {
  const producer = kafka.producer();
  const parts = log.parts(feed.rate * (feed.seconds + feed.warmUpSeconds), PARTITIONS, 1);
  const beganMs = performance.now();
  let sent = 0;
  let flights = 0;
  let last: OutgoingRecord | undefined;
  for (let next = parts.next(); !next.done; ) {
    const until = ((performance.now() - beganMs) / 1_000) * feed.rate;
    const due: OutgoingRecord[] = [];
    for (; !next.done && sent < until; next = parts.next(), sent++) {
      for (const record of next.value.records) {
        if (record !== last) dueMs[flights++] = beganMs + (sent * 1_000) / feed.rate;
        last = record;
        due.push(record);
      }
    }
    await (due.length > 0 ? producer.send(input, due) : sleep(1));
  }
  await producer.close();
  return flights;
}

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number;
