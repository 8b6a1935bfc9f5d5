import { hash } from 'node:crypto';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { ConnectorContext } from '../../src/core/connector.js';
import type { Headers, RawRecord } from '../../src/core/record.js';
import type { Sink } from '../../src/core/sink.js';
import type { Source } from '../../src/core/source.js';
import type { WrittenEntry, WrittenOutput } from '../../src/core/written.js';
import { json, openDecoder, type WireDecoder } from '../../src/schema/index.js';
import { type DeadLetterSinkOptions, deadLetterHeaders, type TopicSinkOptions } from './topic-options.js';

const RECORDS = 1_000;

/**
 * The records of topics: keys, values and headers, byte by byte. Records of one task must keep their order within a partition;
 * those of different tasks may have any order.
 */
export function writtenTopics({ log, schemas }: Pick<ConnectorContext, 'log' | 'schemas'>): WrittenOutput {
  const sourceIn = ({ options }: Sink<unknown>): Source<unknown> => ({
    connector: 'kafka',
    kind: 'kafka.source',
    topic: (options as DeadLetterSinkOptions).topic,
    schema: json<unknown>(),
    settings: {},
    eventTimeOf: (_value, timestampMs) => timestampMs,
  });
  async function* recordsOf(sink: Sink<unknown>, partition: number, offset: number): AsyncGenerator<RawRecord> {
    const task = { topology: 'tools', partition };
    const reader = await log.source.open(sourceIn(sink), { task, partition, offset, bounded: true, step: 'tools' });
    try {
      for (;;) {
        const { records, ended } = await reader.poll(RECORDS);
        yield* records;
        if (ended) return;
      }
    } finally {
      await reader.close();
    }
  }
  return {
    async read(sink, { step }, ordered) {
      const { schema = json<unknown>({ subject: `${step}-value` }) } = sink.options as Partial<TopicSinkOptions>;
      const decoder = await openDecoder(schema, schemas);
      return {
        how: ordered ? 'in order' : 'in any order',
        sorted: false,
        async *entries() {
          const partitions = await log.source.partitions(sourceIn(sink));
          for (let partition = 0; partition < partitions; partition++) {
            for await (const record of recordsOf(sink, partition, EARLIEST)) yield entryOf(partition, record, ordered);
          }
        },
        async show(at) {
          const [partition, offset] = at.split('/').map(Number) as [number, number];
          for await (const record of recordsOf(sink, partition, offset)) {
            await decoder.prepare([record]);
            return { key: record.key && Buffer.from(record.key).toString(), value: decoded(record, decoder) };
          }
          return undefined;
        },
      };
    },
    remove: async ({ options }) => log.deleteTopic((options as DeadLetterSinkOptions).topic),
  };
}

/** A value that cannot be decoded, such as that of a dead letter, as text. */
function decoded({ value }: RawRecord, decoder: WireDecoder<unknown>): unknown {
  if (value === null) return null;
  try {
    return decoder.decode(value);
  } catch {
    return Buffer.from(value).toString();
  }
}

const ORIGIN: readonly string[] = [deadLetterHeaders.topic, deadLetterHeaders.partition, deadLetterHeaders.offset];

function entryOf(partition: number, record: RawRecord, ordered: boolean): WrittenEntry {
  const { offset, key, value, headers = [] } = record;
  const [topic, task, input] = ORIGIN.map((name) => textOf(headers, name) ?? '?');
  // Headers of the origin are the identity; later headers of the same name belong to the record.
  const own = headers.filter(
    ([name], index) => !ORIGIN.includes(name) || headers.findIndex(([n]) => n === name) < index,
  );
  const parts: (Uint8Array | null)[] = [key, value];
  for (const [name, bytes] of own) parts.push(Buffer.from(name), bytes);
  const digest = digestOf(parts);
  const id = ordered ? `${topic}/${task}/${input}` : digest;
  return { sequence: `${partition}/${task}`, id, digest, at: `${partition}/${offset}` };
}

const textOf = (headers: Headers, wanted: string): string | undefined => {
  const bytes = headers.find(([name]) => name === wanted)?.[1];
  return bytes && Buffer.from(bytes).toString();
};

/** A digest of parts with their lengths, so that different lists have different digests. */
function digestOf(parts: readonly (Uint8Array | null)[]): string {
  const all = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(part === null ? -1 : part.length);
    return part === null ? [length] : [length, part];
  });
  return hash('sha1', Buffer.concat(all), 'base64');
}
