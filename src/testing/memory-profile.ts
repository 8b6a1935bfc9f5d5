import {
  bytesOf,
  type Checkpoint,
  type DeadLetter,
  INTERNAL,
  type InternalSinkOptions,
  internalWriter,
  type LookupAnswer,
  type LookupDriver,
  MillraceError,
  messageOf,
  type Origin,
  type OutgoingRecord,
  type Profile,
  type RawRecord,
  readAnswer,
  type SinkDriver,
  type SinkWriter,
  type SourceDriver,
  type StateChange,
  sliceOfPoll,
  type TaskId,
  type TaskLedger,
  type WriteMode,
} from '../core/index.js';
import { localRegistry, openCodec } from '../schema/index.js';
import { pushAll } from '../util/arrays.js';
import { getOrInsert } from '../util/maps.js';

/** A value that a sink got, before any encoding. */
export interface Written {
  readonly value: unknown;
  readonly origin: Origin;
  readonly task: number;
}

/**
 * A profile in memory: a log, a ledger, and sinks that keep their values. Transactional sinks show nothing before the checkpoint is
 * stored, so a crash in a test has the real effect.
 */
export class MemoryProfile implements Profile {
  readonly name = 'memory';
  readonly schemas = localRegistry();
  readonly sources: Record<string, SourceDriver>;
  readonly sinks: Record<string, SinkDriver>;
  readonly lookups: Record<string, LookupDriver>;
  private readonly logs = new Map<string, OutgoingRecord[][]>();
  private readonly written = new Map<string, Written[]>();
  private readonly ledgers = new Map<string, StoredTask>();
  private readonly owners = new Map<string, object>();
  private readonly pending = new Map<string, (() => void)[]>();

  /** By default all connectors of the topology are transactional; name those that are not. */
  constructor(
    private readonly partitions: number,
    modes: Readonly<Record<string, WriteMode>> = {},
    /** By step. */
    stores: Readonly<Record<string, FakeStore>> = {},
  ) {
    const lookup = fakeLookup(stores);
    this.lookups = new Proxy({}, { get: () => lookup });
    const source = this.source();
    this.sources = new Proxy({}, { get: () => source, has: () => true });
    this.sinks = new Proxy(
      {},
      {
        get: (_, connector) =>
          connector === INTERNAL ? this.internalSink() : this.sink(modes[String(connector)] ?? 'transactional'),
        has: () => true,
      },
    );
  }

  append(topic: string, partition: number, records: readonly OutgoingRecord[]): void {
    pushAll(this.log(topic)[partition] ?? [], records);
  }

  /** The values of a sink (by id) so far; for transactional sinks only committed ones. */
  outputOf(sink: string): readonly Written[] {
    return this.written.get(sink) ?? [];
  }

  checkpointOf(task: number): Checkpoint | undefined {
    return [...this.ledgers.entries()].find(([key]) => key.endsWith(`/${task}`))?.[1].checkpoint;
  }

  async openLedger(task: TaskId): Promise<TaskLedger> {
    const key = `${task.topology}/${task.partition}`;
    const owner = {};
    this.owners.set(key, owner);
    this.pending.set(key, []);
    const own = () => {
      if (this.owners.get(key) !== owner) throw new MillraceError('fenced', `another owner took task ${key}`);
    };
    return {
      restore: async () => {
        own();
        const stored = this.ledgers.get(key);
        const state = stored
          ? [...stored.state.values()].map((change) => ({ ...change, bytes: change.bytes?.slice() ?? null }))
          : [];
        return { checkpoint: stored?.checkpoint, state };
      },
      commit: async (checkpoint, changes) => {
        own();
        const state = new Map(this.ledgers.get(key)?.state);
        for (const change of changes) {
          const at = `${change.step}/${change.cell}/${change.bucket}`;
          if (change.bytes === null) state.delete(at);
          else state.set(at, { ...change, bytes: change.bytes.slice() });
        }
        this.ledgers.set(key, { checkpoint: structuredClone(checkpoint), state });
        for (const publish of this.pending.get(key)?.splice(0) ?? []) publish();
      },
      close: async () => undefined,
    };
  }

  async close(): Promise<void> {}

  private log(topic: string): OutgoingRecord[][] {
    return getOrInsert(this.logs, topic, () => Array.from({ length: this.partitions }, () => [] as OutgoingRecord[]));
  }

  private source(): SourceDriver {
    return {
      partitions: async () => this.partitions,
      open: async ({ topic }, { partition, offset }) => {
        const log = this.log(topic)[partition] ?? [];
        let next = Math.max(0, offset);
        const end = log.length; // a memory log always ends where it ends now
        return {
          poll: async (recordsMax, bytesMax = Number.POSITIVE_INFINITY) => {
            const first = next;
            const taken = sliceOfPoll(log, first, Math.min(recordsMax, end - first), bytesMax, bytesOf);
            const records = taken.map((record, i): RawRecord => ({ ...record, offset: first + i }));
            next += records.length;
            return { records, ended: next >= end };
          },
          close: async () => undefined,
        };
      },
    };
  }

  /** Writes to the log, for the next sub-topology. */
  private internalSink(): SinkDriver {
    return {
      mode: 'transactional',
      open: async (sink, { task }): Promise<SinkWriter> => {
        const options = sink.options as InternalSinkOptions;
        const pending = this.pending.get(`${task.topology}/${task.partition}`);
        const writer = internalWriter({
          options,
          codec: await openCodec(options.schema, this.schemas),
          partitions: this.partitions,
          now: () => Number.MAX_SAFE_INTEGER, // this log accepts any timestamp
          append: (partition, record) => pending?.push(() => this.append(options.topic, partition, [record])),
        });
        return { ...writer, close: async () => undefined };
      },
    };
  }

  private sink(mode: WriteMode): SinkDriver {
    return {
      mode,
      open: async (_sink, { step, task }): Promise<SinkWriter> => {
        const key = `${task.topology}/${task.partition}`;
        const output = getOrInsert(this.written, step, () => [] as Written[]);
        return {
          write: (values, origins) => {
            const rows = values.map(
              (value, i): Written => ({ value, origin: (origins[i] ?? null) as Origin, task: task.partition }),
            );
            if (mode === 'transactional') this.pending.get(key)?.push(() => pushAll(output, rows));
            else pushAll(output, rows);
          },
          close: async () => undefined,
        };
      },
    };
  }
}

interface StoredTask {
  readonly checkpoint: Checkpoint;
  readonly state: Map<string, StateChange>;
}

/** The dead letters among the values of a sink. */
export const deadLettersOf = (written: readonly Written[]): DeadLetter[] =>
  written.map(({ value }) => value as DeadLetter);

/** Replaces the store of a lookup step: returns the value of a key, or `undefined` for a missing one; an exception is a failure. */
export type FakeStore = (key: string) => unknown;

function fakeLookup(stores: Readonly<Record<string, FakeStore>>): LookupDriver {
  return {
    async open(_, step) {
      const store = stores[step];
      if (!store)
        throw new MillraceError('config', `there is no store for step '${step}'`, {
          where: step,
          hint: 'replace the store in the test: option `lookups`',
        });
      return {
        keysMax: Number.MAX_SAFE_INTEGER,
        get: async (keys) => keys.map((key) => fakeAnswer(store, key)),
        ping: async () => undefined,
        close: async () => undefined,
      };
    },
  };
}

function fakeAnswer(store: FakeStore, key: string): LookupAnswer {
  try {
    const value = store(key);
    return readAnswer(() => value);
  } catch (error) {
    return { kind: 'failed', detail: messageOf(error) };
  }
}
