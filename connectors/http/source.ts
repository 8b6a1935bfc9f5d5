import type { TopicProducer } from '../../src/core/profile.js';
import type { SchemaRegistry } from '../../src/core/schema.js';
import { readerAround, type Source, type SourceDriver } from '../../src/core/source.js';
import { openDecoder } from '../../src/schema/index.js';
import { secretFrom } from '../../src/util/secret-from.js';
import { IngestServer } from './ingest-server.js';
import type { Ingest, Poll } from './kinds.js';
import { PollReader, type PollSourceState, type RequestLimits } from './poll-source.js';

export interface HttpSourceOptions {
  readonly schemas: SchemaRegistry;
  /** The profile's topics, which store accepted records. */
  readonly topics: SourceDriver;
  readonly producer: () => TopicProducer;
  readonly now?: () => number;
  /** For `http.pollSource`: 30 s per response and eight tries by default. */
  readonly limits?: RequestLimits;
  /** For `http.ingestSource`: how long a request may take to arrive, in milliseconds; 30 s by default. */
  readonly requestMs?: number;
}

export interface HttpSource extends SourceDriver {
  /** The port on which a topic's records are accepted while a task reads it. */
  portOf(topic: string): number | undefined;
  close(): Promise<void>;
}

/** The driver of `http.pollSource` and `http.ingestSource`. The server of a topic listens while a task of this process reads it. */
export function httpSource(parts: HttpSourceOptions): HttpSource {
  const { schemas, topics, producer, now = Date.now, limits, requestMs } = parts;
  const doors = new Map<string, { readonly door: Promise<IngestServer>; users: number; readonly out: TopicProducer }>();
  const openDoor = async (options: Ingest, out: TopicProducer): Promise<IngestServer> => {
    const { schema, tokenFrom, topic } = options;
    const token = tokenFrom === undefined ? undefined : secretFrom(tokenFrom, topic);
    const codec = await openDecoder(schema, schemas);
    return IngestServer.open({ options, codec, producer: out, token, now, requestMs });
  };
  const leave = async (topic: string): Promise<void> => {
    const entry = doors.get(topic);
    if (!entry || --entry.users > 0) return;
    doors.delete(topic);
    await entry.door.then(
      (door) => door.close(),
      () => undefined, // it never opened, and the caller has got the error
    );
    await entry.out.close();
  };
  const ports = new Map<string, number>();
  return {
    async setUp(source) {
      if (source.kind !== 'http.ingestSource') return;
      const { topic, partitions } = source.options as Ingest;
      const isThere = await topics.partitions(source).then(
        () => true,
        () => false,
      );
      if (isThere) return;
      const out = producer();
      try {
        await out.createTopic(topic, partitions);
      } finally {
        await out.close();
      }
    },
    partitions: async (source) => (source.kind === 'http.ingestSource' ? topics.partitions(source) : 1),
    async open(source, at) {
      if (source.kind !== 'http.ingestSource') {
        const { options } = source as Source<unknown> & { readonly options: Poll };
        return new PollReader(
          options,
          { bounded: at.bounded, offset: at.offset, sourceState: at.sourceState as PollSourceState | undefined },
          limits,
        );
      }
      const options = source.options as Ingest;
      const { topic } = options;
      let entry = doors.get(topic);
      if (!entry) {
        const out = producer();
        entry = { door: openDoor(options, out), users: 0, out };
        doors.set(topic, entry);
      }
      entry.users += 1;
      try {
        ports.set(topic, (await entry.door).port);
        const reader = await topics.open(source, at);
        let left = false;
        return readerAround(reader, {
          async close() {
            const isFirst = !left;
            left = true;
            try {
              await reader.close();
            } finally {
              if (isFirst) await leave(topic);
            }
          },
        });
      } catch (error) {
        await leave(topic);
        throw error;
      }
    },
    portOf: (topic) => (doors.has(topic) ? ports.get(topic) : undefined),
    async close() {
      for (const [topic, entry] of doors) {
        entry.users = 1;
        await leave(topic);
      }
    },
  };
}
