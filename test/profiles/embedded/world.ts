import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopicSinkOptions } from '../../../connectors/kafka/topic-options.js';
import type { HashSinkOptions } from '../../../connectors/redis/structures.js';
import { hours } from '../../../src/core/index.js';
import type { DeadLetter } from '../../../src/core/record.js';
import type { Sink } from '../../../src/core/sink.js';
import type { Source } from '../../../src/core/source.js';
import { type Embedded, type EmbeddedOptions, openEmbedded } from '../../../src/profiles/embedded/index.js';
import { json, localRegistry } from '../../../src/schema/index.js';

export interface World {
  readonly path: string;
  embedded: Embedded;
  /** Closes without committing and opens again. */
  restart(options?: Partial<EmbeddedOptions>): Promise<void>;
  close(): Promise<void>;
}

/** A store in a folder of its own, which goes when the world is closed. */
export async function openWorld(options: Partial<EmbeddedOptions> = {}): Promise<World> {
  const path = mkdtempSync(join(tmpdir(), 'millrace-embedded-'));
  const open = (more: Partial<EmbeddedOptions> = {}) =>
    openEmbedded({ path, registry: localRegistry(), ...options, ...more });
  const world: World = {
    path,
    embedded: await open(),
    async restart(more) {
      await world.embedded.close();
      world.embedded = await open(more);
    },
    async close() {
      await world.embedded.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
  return world;
}

export const sourceOf = (topic: string): Source<unknown> => ({
  connector: 'kafka',
  kind: 'kafka.source',
  topic,
  schema: json<unknown>(),
  settings: {},
  eventTimeOf: (_, timestampMs) => timestampMs,
});

export function topicSinkOf(topic: string, options: Partial<TopicSinkOptions> = {}): Sink<unknown> {
  const full: TopicSinkOptions = { topic, schema: json<unknown>(), key: undefined, partitions: undefined, ...options };
  return { connector: 'kafka', kind: 'kafka.sink', settings: {}, options: full };
}

export const deadLetterSinkOf = (topic: string): Sink<DeadLetter> => ({
  connector: 'kafka',
  kind: 'kafka.deadLetterSink',
  settings: {},
  options: { topic },
});

export function hashSinkOf(key: (value: unknown) => string, ttl = hours(1), newest?: string): Sink<unknown> {
  const options: HashSinkOptions = { key, ttl, newest };
  return { connector: 'redis', kind: 'redis.hashSink', settings: {}, options };
}

/** All values of a topic, as JSON, partition after partition. */
export async function valuesIn(embedded: Embedded, topic: string): Promise<unknown[]> {
  const ends = await embedded.endOffsets(topic);
  return ends.flatMap((_, partition) =>
    Array.from(embedded.scan(topic, partition), ({ value }) => JSON.parse(Buffer.from(value ?? []).toString())),
  );
}
