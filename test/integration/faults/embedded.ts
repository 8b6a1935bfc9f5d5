import { kafka } from '../../../connectors/kafka/index.js';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import { redis } from '../../../connectors/redis/index.js';
import { hours } from '../../../src/core/index.js';
import type { RawRecord } from '../../../src/core/record.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Embedded } from '../../../src/profiles/embedded/index.js';
import { json } from '../../../src/schema/index.js';
import { originAt } from '../../../src/testing/contract.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { FaultName } from '../../../src/testing/fault-list.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { openWorld, sourceOf } from '../../profiles/embedded/world.js';
import { changeTo, changing, keyOf, metricTo } from './changes.js';
import { canMount, smallDisk } from './disk.js';

type Numbered = { readonly n: number };

export const notHere: Partial<Readonly<Record<FaultName, string>>> = canMount
  ? {}
  : { 'refused for now': 'nobody but root mounts a small disk, on Linux' };

/** The store wants 16 MiB left beside what it writes. */
const DISK_BYTES = 48 * 2 ** 20;

/** Something of the store, written together with its ledger, and what all of it has in common: its disk. */
async function inStore(kind: StoreKind): Promise<SinkFaultWorld> {
  const disk = canMount ? smallDisk(DISK_BYTES) : undefined;
  const { embedded, close } = await openWorld(disk === undefined ? {} : { path: disk.folder });
  const { driver, visible, value = (n) => ({ n }), keyOf = (n) => n % 7, ...more } = kind;
  return {
    driver: embedded[driver],
    openLedger: embedded.openLedger,
    visible: () => visible(embedded),
    value,
    keyOf,
    ...more,
    ...(disk === undefined ? {} : { refusedForNow: () => disk.fill() }),
    async close() {
      await close();
      disk?.close();
    },
  };
}

interface StoreKind extends Pick<SinkFaultWorld, 'sink' | 'replaces' | 'takesAway' | 'keyOf'> {
  readonly driver: 'topicSink' | 'hashSink';
  visible(embedded: Embedded): Promise<readonly number[]>;
  value?(n: number): unknown;
}

const recordsIn = async (embedded: Embedded, topic: string): Promise<readonly RawRecord[]> =>
  (await embedded.endOffsets(topic)).flatMap((_, partition) => [...embedded.scan(topic, partition)]);
const numberOf = ({ value }: RawRecord): number => (JSON.parse(Buffer.from(value ?? []).toString()) as Numbered).n;
const numbersOfHashes = async (embedded: Embedded) => [...embedded.hashes()].map(({ fields }) => Number(fields.n));

export const sinks = {
  'kafka.sink': () =>
    inStore({
      driver: 'topicSink',
      sink: kafka.sink({ topic: 'out', schema: json<unknown>(), key: (value) => `k${(value as Numbered).n % 7}` }),
      visible: async (embedded) => (await recordsIn(embedded, 'out')).map(numberOf),
    }),
  'kafka.upsertSink': () =>
    inStore({
      driver: 'topicSink',
      sink: kafka.upsertSink<Numbered>({ topic: 'out', schema: json<Numbered>() }) as Sink<never> as Sink<unknown>,
      value: (n) => ({ key: `k${n % 7}`, before: null, after: { n } }),
      visible: async (embedded) => (await recordsIn(embedded, 'out')).map(numberOf),
    }),
  'kafka.deadLetterSink': () =>
    inStore({
      driver: 'topicSink',
      sink: kafka.deadLetterSink({ topic: 'out' }) as Sink<never> as Sink<unknown>,
      value: (n) => ({ reason: 'late', detail: 'too late', step: 'in', origin: originAt(n, n % 2) }),
      keyOf: (n) => n % 2,
      visible: async (embedded) =>
        (await recordsIn(embedded, 'out')).map(({ headers = [] }) =>
          Number(Buffer.from(new Map(headers).get(deadLetterHeaders.offset) ?? []).toString()),
        ),
    }),
  'redis.hashSink': () =>
    inStore({
      driver: 'hashSink',
      sink: redis.hashSink<Numbered>({ key: ({ n }) => `k${n % 7}`, ttl: hours(1) }) as Sink<never> as Sink<unknown>,
      replaces: true,
      visible: numbersOfHashes,
    }),
  'redis.upsertSink': () =>
    inStore({
      driver: 'hashSink',
      sink: redis.upsertSink<Numbered>({ prefix: 'changed:' }) as Sink<never> as Sink<unknown>,
      ...changing,
      value: changeTo,
      visible: numbersOfHashes,
    }),
  'redis.metricsSink': () =>
    inStore({
      driver: 'hashSink',
      sink: redis.metricsSink({ ttl: hours(1) }) as Sink<never> as Sink<unknown>,
      value: metricTo,
      keyOf,
      replaces: true,
      visible: async (embedded) => [...embedded.hashes()].map(({ fields }) => Number(fields.value)),
    }),
};

export const sources = {
  async 'kafka.source'(): Promise<SourceFaultWorld> {
    const { embedded, close } = await openWorld();
    await embedded.producer().createTopic('in', 1);
    return {
      driver: embedded.source,
      source: sourceOf('in'),
      append: (numbers) =>
        embedded.append(
          'in',
          0,
          numbers.map((n) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n })),
        ),
      numberOf,
      close,
    };
  },
};
