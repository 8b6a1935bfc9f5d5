import { unknownFence } from '../../src/connect/fenced.js';
import type { Finding } from '../../src/core/connector.js';
import { MillraceError } from '../../src/core/errors.js';
import type { LookupDriver } from '../../src/core/lookup.js';
import type { ConfigMismatch, Sink, SinkDriver } from '../../src/core/sink.js';
import type { Source, SourceDriver } from '../../src/core/source.js';
import { FencedWriter } from './fenced-writer.js';
import type { Entries } from './kinds.js';
import { redisReader } from './lookup-reader.js';
import { type Publishing, PublishWriter } from './publish-writer.js';
import { fencesOf, makeCallsOf, slotsOf } from './script-calls.js';
import type { Keyed } from './server/connection.js';
import { explain } from './server/errors.js';
import { requireFencesKept } from './server/eviction.js';
import { examineRedis } from './server/examine.js';
import { requireJson } from './server/json-support.js';
import { type KeySpace, keySpaceOf } from './server/key-space.js';
import { allAnswered, Server, type ServerOptions } from './server/server.js';
import { EntriesReader, type EntriesSourceState } from './stream/entries-reader.js';
import { structureKinds, structureOf } from './structures.js';

export type { ServerOptions as RedisOptions } from './server/server.js';

export interface Redis extends KeySpace {
  /** Hashes, strings, documents, streams, sets and counters; a repeated write has no effect. */
  readonly sink: SinkDriver;
  /** Messages on channels. */
  readonly publishSink: SinkDriver;
  /** Streams. */
  readonly source: SourceDriver;
  /** Serves `redis.hashLookup` and `redis.stringLookup`. */
  readonly lookup: LookupDriver;
  /** Commands beside the records of a topology, each tried once. Rejects with the first one that fails. */
  command(commands: readonly Keyed[]): Promise<readonly unknown[]>;
  /** For `millrace doctor`. */
  examine(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

/**
 * Opens Redis, one server or a cluster, for a topology. It connects and loads the client library at its first use.
 *
 * Effectively once: every write is fenced by its record, so a repeated write, or a write of an earlier incarnation, changes
 * nothing. A lost connection is retried. A write is in Redis before the checkpoint is stored; whether Redis itself keeps it depends
 * on its persistence.
 *
 * @throws MillraceError `config` for a wrong address; `sink`, from a sink, if the server does not answer or rejects the login.
 * @example const redis = openRedis({ url: 'redis://127.0.0.1:6379' });
 */
export function openRedis(options: ServerOptions): Redis {
  const server = new Server(options);
  const requireAll = async ({ kind }: Sink<unknown>, step: string) => {
    if (kind === 'redis.jsonSink') await requireJson(server, step);
    await requireFencesKept(server, kind, step);
  };
  const common: Pick<SinkDriver, 'setUp' | 'mismatches' | 'ping'> = {
    async setUp(sink, { step }) {
      await server.attempt('cannot connect to Redis', async (on) => void (await on.masters()[0]?.ping()));
      await requireAll(sink, step);
    },
    async mismatches(sink) {
      try {
        await server.ping();
        await requireAll(sink, sink.kind);
        return [];
      } catch (error) {
        return [unready(sink, explain(server.causeOf(error), 'cannot connect', server.where), server.where)];
      }
    },
    ping: () => server.ping(),
  };
  return {
    sink: {
      ...common,
      mode: 'idempotent',
      async open(sink, context) {
        const structure = structureOf(sink.kind, sink.options);
        if (structure === undefined) throw unknownKind(sink, context.step);
        const { isCluster } = await server.attempt('cannot connect to Redis', async (on) => on);
        const calls = makeCallsOf(server, structure.script, `step ${context.step} cannot write ${sink.kind}`);
        return new FencedWriter(structure, context, slotsOf(isCluster), calls);
      },
      async refuseFences(_, context) {
        const { isCluster } = await server.attempt('cannot connect to Redis', async (on) => on);
        const keys = fencesOf(context, isCluster);
        const commands = keys.map((key): Keyed => ({ key, command: ['exists', key] }));
        const found = await server.send('cannot look for fences', commands);
        if (!found.some((count) => Number(count) > 0)) return;
        const pattern = `millrace:fence:*${context.task.topology}:*`;
        throw unknownFence(context, server.where, `redis-cli --scan --pattern '${pattern}' | xargs redis-cli unlink`);
      },
    },
    publishSink: {
      ...common,
      mode: 'append',
      open: async (sink) => new PublishWriter(sink.options as Publishing, server),
    },
    source: entriesSource(server),
    lookup: {
      open: async (lookup) => redisReader(server, lookup),
    },
    ...keySpaceOf(server),
    command: async (commands) => allAnswered(await (await server.connection()).send(commands)),
    examine: () => examineRedis(server),
    close: () => server.close(),
  };
}

/** Each task reads its stream over its own connection, because the read blocks. */
const entriesSource = (server: Server): SourceDriver => ({
  partitions: async (source) => entriesOf(source).partitions ?? 1,
  async open(source, { partition, offset, bounded, sourceState }) {
    const options = entriesOf(source);
    const stream = options.partitions === undefined ? options.stream : `${options.stream}:${partition}`;
    const { onDataLoss } = source;
    const at = { stream, bounded, offset, onDataLoss, sourceState: sourceState as EntriesSourceState | undefined };
    return EntriesReader.open(server.another(), options, at);
  },
});

const entriesOf = (source: Source<unknown>) => source.options as Entries;

/** The problem that `check` reports for a server that a sink cannot write to. */
const unready = ({ kind }: Sink<unknown>, { message, hint = '' }: MillraceError, where: string): ConfigMismatch => ({
  what: kind,
  setting: `the server at ${where}`,
  declared: 'ready',
  actual: `not (${message})`,
  hint,
  refused: true,
});

const unknownKind = ({ kind }: Sink<unknown>, where: string): MillraceError =>
  new MillraceError('config', `Redis has no sink of kind ${kind}`, {
    where,
    hint: `it has: ${[...structureKinds, 'redis.publishSink'].join(', ')}`,
  });
