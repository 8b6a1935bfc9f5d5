import { chmod, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogPoint, TaskId } from '../../core/checkpoint.js';
import { MillraceError } from '../../core/errors.js';
import type { OutgoingRecord } from '../../core/record.js';
import type { SchemaRegistry, SchemaText } from '../../core/schema.js';
import type { Source, SourceDriver, SourceReader } from '../../core/source.js';
import { PRIVATE_FILE } from '../../util/private-files.js';
import { connectSocketCalls, type ServedClient, type SocketCaller, serveSocketCalls } from '../../util/socket-calls.js';
import type { Embedded } from './open.js';
import { addressIn, inUse } from './ownership.js';
import { packRecords, unpackRecords } from './record-blob.js';

// One process at a time has the embedded store open. It serves the commands of others (produce, tail, query, ...) over a socket in the
// folder, so that they work while a topology runs.

const SOCKET = 'commands.sock';
/** Of one poll by a command: answering it must not hold up the topology. */
const POLL_BYTES_MAX = 2 ** 20;
/** Of one `send` of a command, which the store writes in one step. */
const SEND_BYTES_MAX = 8 * 2 ** 20;
/** Open readers of one command. */
const READERS_MAX = 1_024;

/** A call of a connector that this process has open. */
export type CallConnector = (connector: string, call: string, args: readonly unknown[]) => Promise<unknown>;

/** What one command may call. */
function callsOn(log: Embedded, callConnector: CallConnector) {
  const producer = log.producer();
  const readers = new Map<number, SourceReader>();
  let lastReader = 0;
  const readerOf = (id: number): SourceReader => {
    const reader = readers.get(id);
    if (reader === undefined) throw new MillraceError('internal', `there is no reader ${id}`);
    return reader;
  };
  return {
    createTopic: (topic: string, partitions: number | undefined, configs?: Record<string, string>) =>
      producer.createTopic(topic, partitions, configs),
    send: (topic: string, blobs: readonly Uint8Array[]) => producer.send(topic, unpackRecords(blobs)),
    append: (topic: string, partition: number, blobs: readonly Uint8Array[]) =>
      producer.append(topic, partition, unpackRecords(blobs)),
    endOffsets: (topic: string) => log.endOffsets(topic),
    offsetsAt: (topic: string, point: LogPoint) => log.offsetsAt(topic, point),
    idOf: (subject: string, schema: SchemaText) => log.schemas.idOf(subject, schema),
    knownIdOf: (subject: string, schema: SchemaText) => log.schemas.knownIdOf(subject, schema),
    schemaOf: (id: number) => log.schemas.schemaOf(id),
    latest: (subject: string) => log.schemas.latest(subject),
    tasks: (topology: string) => log.checkpoints.tasks(topology),
    checkpointOf: (task: TaskId) => log.checkpointOf(task),
    partitions: (topic: string) => log.source.partitions({ topic } as Source<unknown>),
    async openReader(topic: string, partition: number, offset: number, bounded: boolean): Promise<number> {
      if (readers.size === READERS_MAX) throw new MillraceError('source', `${READERS_MAX} readers are open`);
      const task = { topology: 'tools', partition };
      const at = { task, partition, offset, bounded, step: 'tools' };
      const reader = await log.source.open({ topic } as Source<unknown>, at);
      const id = ++lastReader; // only now: others may have been opened meanwhile
      readers.set(id, reader);
      return id;
    },
    poll: (reader: number, recordsMax: number, bytesMax: number) =>
      readerOf(reader).poll(recordsMax, Math.min(bytesMax, POLL_BYTES_MAX)),
    async closeReader(id: number): Promise<void> {
      await readerOf(id).close();
      readers.delete(id);
    },
    connector: callConnector,
    /** Not for clients. */
    end: () => void Promise.allSettled([...readers.values()].map((reader) => reader.close())),
  };
}

type OwnerCalls = Omit<ReturnType<typeof callsOn>, 'end'>;

/** Serves the commands of other processes on an open store. */
export async function serveCommands(
  path: string,
  log: Embedded,
  callConnector: CallConnector,
): Promise<{ close(): Promise<void> }> {
  const address = await addressIn(path);
  const open = (): ServedClient => {
    const { end, ...calls } = callsOn(log, callConnector);
    return { calls, onEnd: end };
  };
  try {
    await rm(join(path, SOCKET), { force: true }); // of an owner that was killed: this process owns the folder
    const server = await serveSocketCalls(address.of(SOCKET), open);
    await chmod(join(path, SOCKET), PRIVATE_FILE);
    return {
      async close() {
        await server.close();
        await address.close();
      },
    };
  } catch (error) {
    await address.close();
    throw error;
  }
}

/** The part of an embedded store that commands use, in the process that has it open. */
export interface EmbeddedBeside
  extends Pick<Embedded, 'source' | 'schemas' | 'checkpoints' | 'producer' | 'endOffsets' | 'offsetsAt'> {
  readonly callConnector: CallConnector;
  /** The error of what only the owner may do. */
  inUse(): MillraceError;
  close(): void;
}

/** Uses the store of another process; `undefined` if none has it open, or none that serves commands. */
export async function openBeside(path: string): Promise<EmbeddedBeside | undefined> {
  const address = await addressIn(path).catch(() => undefined); // no folder, no owner
  if (address === undefined) return undefined;
  try {
    const caller = await connectSocketCalls(address.of(SOCKET), () => ownerEnded(path));
    return caller && besideOf(path, caller);
  } finally {
    await address.close();
  }
}

function besideOf(path: string, caller: SocketCaller): EmbeddedBeside {
  const call = <N extends keyof OwnerCalls>(name: N, ...args: Parameters<OwnerCalls[N]>) =>
    caller.call(name, ...args) as Promise<Awaited<ReturnType<OwnerCalls[N]>>>;
  const refuse = async (): Promise<never> => {
    throw owned();
  };
  const owned = () => inUse(path, 'another process');
  const schemas: SchemaRegistry = {
    idOf: (subject, schema) => call('idOf', subject, schema),
    knownIdOf: (subject, schema) => call('knownIdOf', subject, schema),
    schemaOf: (id) => call('schemaOf', id),
    latest: (subject) => call('latest', subject),
  };
  const source: SourceDriver = {
    partitions: ({ topic }) => call('partitions', topic),
    async open({ topic }, { partition, offset, bounded }) {
      const id = await call('openReader', topic, partition, offset, bounded);
      return {
        poll: (recordsMax, bytesMax = POLL_BYTES_MAX) => call('poll', id, recordsMax, bytesMax),
        close: () => call('closeReader', id),
      };
    },
  };
  return {
    source,
    schemas,
    checkpoints: {
      tasks: (topology) => call('tasks', topology),
      // Commands beside a run look at positions alone; reading the state would hold the topology up.
      inspect: async (task) => ({ ...(await call('checkpointOf', task)), state: [] }),
      mustBeStopped: refuse,
      replace: refuse,
    },
    producer: () => ({
      createTopic: (topic, partitions, configs) => call('createTopic', topic, partitions, { ...configs }),
      async send(topic, records) {
        for (const part of partsOf(records)) await call('send', topic, part);
      },
      async append(topic, partition, records) {
        for (const part of partsOf(records)) await call('append', topic, partition, part);
      },
      close: async () => undefined,
    }),
    endOffsets: (topic) => call('endOffsets', topic),
    offsetsAt: (topic, point) => call('offsetsAt', topic, point),
    callConnector: (connector, name, args) => call('connector', connector, name, args),
    inUse: owned,
    close: () => caller.close(),
  };
}

/** Parts of records that are sent at once, packed. */
function* partsOf(records: readonly OutgoingRecord[]): Generator<readonly Uint8Array[]> {
  let part: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    part.push(record);
    bytes += (record.key?.length ?? 0) + (record.value?.length ?? 0);
    if (bytes < SEND_BYTES_MAX) continue;
    yield packRecords(part);
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield packRecords(part);
}

const ownerEnded = (path: string): MillraceError =>
  new MillraceError('source', 'the process that had the embedded store open has ended', {
    where: path,
    hint: 'run the command again',
  });
