import {
  type BucketChange,
  type Cell,
  INTERNAL,
  type MetricRow,
  MillraceError,
  noRecord,
  type Origin,
  type Profile,
  type Sink,
  type SinkWriter,
  sinkDriver,
  type TaskId,
  type WatermarkMarker,
} from '../core/index.js';
import { decode, encode, tags } from '../state/codec.js';
import { deferralIn, ROWS_MAX, type Topology } from '../topology/index.js';
import { pushAll } from '../util/arrays.js';
import { roughBytes } from '../util/rough-bytes.js';
import { instrumentedWriter, type Reason } from './pending-operations.js';
import type { Opening } from './task-options.js';
import type { TaskState } from './task-state.js';

/** Ids of the sinks of the topology itself; ids of users cannot begin with `$`. */
export const DEAD_LETTERS = '$dead-letters';
const METRICS = '$metrics';

interface NamedSink {
  readonly id: string;
  readonly sink: Sink<unknown>;
}

const named = (id: string, sink: Sink<never>): NamedSink => ({ id, sink: sink as Sink<unknown> });

/** The metrics sinks of a topology with their step ids. */
export const metricsSinks = ({ metrics }: Pick<Topology, 'metrics'>): readonly NamedSink[] =>
  metrics.map((sink, i) => named(i === 0 ? METRICS : `${METRICS}-${i + 1}`, sink));

/** All sinks of a topology with their step ids, including its own. */
export const sinksOf = (topology: Topology): readonly NamedSink[] => [
  ...topology.sinks,
  named(DEAD_LETTERS, topology.deadLetters),
  ...metricsSinks(topology),
];

export interface TaskSinksOptions {
  readonly topology: Topology;
  readonly profile: Profile;
  readonly task: TaskId;
  readonly incarnation: number;
  /** Whether the task has no checkpoint. */
  readonly isNew: boolean;
  /** By step: the committables of the last checkpoint. */
  readonly committables: Readonly<Record<string, unknown>>;
  readonly state: TaskState;
  readonly opening: Opening;
  /** Called with a sink's failure, before the task fails because of it. */
  onSinkFailure(sink: string, error: unknown): void;
}

export interface TaskSinks {
  /** By step. */
  readonly writers: ReadonlyMap<string, SinkWriter>;
  /** Those that are written after the checkpoint, or were by the run before. */
  readonly deferred: readonly DeferredSink[];
  /** Whether a sink refuses fences of a task without a checkpoint, so that a new task needs one before it writes. */
  readonly needsCheckpoint: boolean;
}

/** Opens the sinks of a task. Deferred sinks get the rows that the last checkpoint kept for them. */
export async function openSinks(options: TaskSinksOptions): Promise<TaskSinks> {
  const { topology, profile, task, incarnation, isNew, committables, state, opening, onSinkFailure } = options;
  const deferralOf = deferralIn(topology);
  const metrics = new Set(metricsSinks(topology).map(({ id }) => id));
  const writers = new Map<string, SinkWriter>();
  const deferred: DeferredSink[] = [];
  let needsCheckpoint = false;
  for (const { id: step, sink } of sinksOf(topology)) {
    const driver = await sinkDriver(profile, sink, step);
    if (sink.connector === INTERNAL && driver.mode !== 'transactional') throw notTransactional(profile, step);
    const told = (error: unknown): never => {
      onSinkFailure(step, error);
      throw error;
    };
    const context = { step, task, incarnation, committable: committables[step] };
    const reason: Reason = { kind: 'sink', id: step };
    const open = () => opening.part(() => driver.open(sink, context).catch(told));
    const opened = await opening.during(reason, open);
    if (isNew && driver.refuseFences) {
      await opening.during(reason, async () => driver.refuseFences?.(sink, context).catch(told));
      needsCheckpoint = true;
    }
    const writer = instrumentedWriter(opened, step, opening.waits, onSinkFailure);
    const { rowsMax, bytesMax } = deferralOf(sink) ?? {};
    const numbered = (to: SinkWriter) => (sink.changes ? numberedSink(to, step, state) : to);
    if (driver.mode === 'transactional' || driver.mode === 'prepared' || metrics.has(step)) {
      writers.set(step, writer);
      continue;
    }
    // Also if this run does not defer: the run before may have, and died with rows in the checkpoint.
    const later = new DeferredSink(writer, rowsMax ?? ROWS_MAX, bytesMax);
    state.adopt(step, 'rows', later);
    await later.recover();
    writers.set(step, numbered(rowsMax === undefined ? writer : later));
    deferred.push(later);
  }
  return { writers, deferred, needsCheckpoint };
}

function numberedSink(writer: SinkWriter, step: string, state: TaskState): SequencedSink {
  const numbered = new SequencedSink(writer);
  state.adopt(step, 'number', numbered);
  return numbered;
}

const notTransactional = (profile: Profile, where: string): MillraceError =>
  new MillraceError('config', `the ${profile.name} profile cannot repartition`, {
    where,
    hint: 'a repartition topic must be in the transaction of the checkpoint: keep both in one store',
  });

/** Rows in the checkpoint: values, and the parts of their origins that a sink may need. */
interface Kept {
  readonly values: readonly unknown[];
  readonly origins: readonly Origin[];
}

/**
 * A sink that is written only after the checkpoint, from rows that the checkpoint keeps until the sink has written them.
 *
 * For sinks outside the ledger's transaction this closes the gap between the two: the sink always gets what the checkpoint says,
 * even if a replay would decide differently. It is both the cell of its rows and the sink's writer.
 *
 * A bucket has about one MiB of rows, so that any log can store it. Memory: the rows of one round, and those of one epoch, which
 * the task limits to `rowsMax` and `bytesMax` by committing earlier.
 */
export class DeferredSink implements SinkWriter, Cell {
  /** Not yet in a checkpoint; grouped by future bucket. */
  private pending: { readonly values: unknown[]; readonly origins: Origin[]; bytes: number }[] = [];
  private bytes = 0;
  /** In the checkpoint, and not yet confirmed by the sink; by bucket. */
  private readonly kept = new Map<number, Kept>();
  /** Confirmed by the sink: the next checkpoint removes them. */
  private taken: number[] = [];
  private nextBucket = 0;

  constructor(
    private readonly writer: SinkWriter,
    private readonly rowsMax: number,
    private readonly bytesMax = DEFERRED_BYTES_MAX,
  ) {}

  get rows(): number {
    return this.pending.reduce((sum, { values }) => sum + values.length, 0);
  }

  /** Whether the limit of kept rows is reached and a commit is due. */
  get isFull(): boolean {
    return this.bytes >= this.bytesMax || this.rows >= this.rowsMax;
  }

  /** The checkpoint has rows that the sink has as well: whoever opens it next would write them again. */
  get holdsBack(): boolean {
    return this.taken.length > 0;
  }

  unrepresentable(value: unknown, origin: Origin): string | undefined {
    return this.writer.unrepresentable?.(value, origin);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void {
    let piece = this.pending.at(-1);
    for (let i = 0; i < values.length; i++) {
      if (piece === undefined || piece.bytes >= BUCKET_BYTES) {
        piece = { values: [], origins: [], bytes: 0 };
        this.pending.push(piece);
      }
      const bytes = ORIGIN_BYTES + roughBytes(values[i]);
      piece.values.push(values[i]);
      piece.origins.push(origins[i] as Origin);
      piece.bytes += bytes;
      this.bytes += bytes;
    }
  }

  finish(): void {
    this.writer.finish?.();
  }

  isDue(): boolean {
    return this.writer.isDue?.() ?? false;
  }

  commit(): Promise<void> {
    return this.give((values, origins) => this.writer.write(values, origins));
  }

  /** Writes the rows of a checkpoint; some may have been written before the process died. */
  async recover(): Promise<void> {
    if (this.kept.size === 0) return;
    const write = this.writer.recover ?? this.writer.write;
    await this.give((values, origins) => write.call(this.writer, values, origins));
  }

  /** Rows stay in the checkpoint until the sink has confirmed all of them. */
  private async give(write: SinkWriter['write']): Promise<void> {
    for (const { values, origins } of this.kept.values()) await write(values, origins);
    await this.writer.prepare?.();
    await this.writer.commit?.();
    pushAll(this.taken, this.kept.keys());
    this.kept.clear();
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  restore(bucket: number, bytes: Uint8Array): void {
    this.kept.set(bucket, decode(tags.rows, bytes) as Kept);
    this.nextBucket = Math.max(this.nextBucket, bucket + 1);
  }

  takeChanges(): BucketChange[] {
    const changes: BucketChange[] = this.taken.map((bucket) => ({ bucket, bytes: null }));
    this.taken = [];
    for (const { values, origins } of this.pending) {
      // Raw bytes and headers are only for dead letters, which such a row no longer becomes.
      const rows: Kept = {
        values,
        origins: origins.map((origin) => ({ ...origin, raw: null, json: undefined, headers: undefined })),
      };
      const bucket = this.nextBucket++;
      this.kept.set(bucket, rows);
      changes.push({ bucket, bytes: encode(tags.rows, rows) });
    }
    this.pending = [];
    this.bytes = 0;
    return changes;
  }
}

/** The limit of rows that wait for a checkpoint, if their sink sets none. */
const DEFERRED_BYTES_MAX = 64 * 2 ** 20;
const BUCKET_BYTES = 2 ** 20;
/** The approximate size of a row besides its value. */
const ORIGIN_BYTES = 100;

/** Replaces the topic in the origin of numbered changes. */
const CHANGES = '$changes';

/**
 * A sink whose values replace each other. It gets them numbered instead of with their origin, so it knows the later one of two
 * values from different inputs. It is both the cell of the count and the sink's writer.
 *
 * Guarantee: the count is in the checkpoint, so a replay gives each value the same number. When tasks are merged by a rescale, the
 * highest count continues. Memory: one number.
 */
export class SequencedSink implements Required<Omit<SinkWriter, 'recover' | 'takesAll'>>, Cell {
  private next = 0;
  private stored = 0;

  constructor(private readonly writer: SinkWriter) {}

  unrepresentable(value: unknown, origin: Origin): string | undefined {
    return this.writer.unrepresentable?.(value, origin);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    const numbered = origins.map((origin) => ({ ...origin, topic: CHANGES, offset: this.next++ }));
    return this.writer.write(values, numbered);
  }

  writeMarker(marker: WatermarkMarker): void {
    this.writer.writeMarker?.(marker);
  }

  finish(): void {
    this.writer.finish?.();
  }

  isDue(): boolean {
    return this.writer.isDue?.() ?? false;
  }

  prepare(): Promise<unknown> {
    return this.writer.prepare?.() ?? Promise.resolve();
  }

  async commit(): Promise<void> {
    await this.writer.commit?.();
  }

  close(): Promise<void> {
    return this.writer.close();
  }

  restore(_bucket: number, bytes: Uint8Array): void {
    this.next = Math.max(this.next, decode(tags.value, bytes) as number);
    this.stored = this.next;
  }

  takeChanges(): BucketChange[] {
    if (this.next === this.stored) return [];
    this.stored = this.next;
    return [{ bucket: 0, bytes: encode(tags.value, this.next) }];
  }
}

const HOUR_MS = 3_600_000;

const METRICS_ORIGIN = noRecord('$metrics');

/** The metrics sinks of a task. */
export interface MetricsOutput {
  /** Writes measurements, and the current counters of the steps. */
  write(
    measured: readonly MetricRow[],
    counters: Iterable<{ readonly step: string; readonly name: string; readonly value: number }>,
    watermarkMs: number,
  ): Promise<void>;
}

/** Every sink gets the same rows. Numbered by this run of the task, a repeated write is known as one. */
export function metricsOutput(of: Pick<MetricRow, 'topology' | 'task'>, writers: readonly SinkWriter[]): MetricsOutput {
  let written = 0;
  return {
    async write(measured, counters, watermarkMs) {
      if (writers.length === 0) return;
      // One row per counter and hour of event time: a later epoch replaces it, and a replay writes the same row.
      const eventTimeMs = Math.floor(Math.max(0, watermarkMs) / HOUR_MS) * HOUR_MS;
      const counted = [...counters].map(
        ({ step, name, value }): MetricRow => ({
          ...of,
          step,
          name: `counter:${name}`,
          slice: '',
          version: '',
          eventTimeMs,
          value,
        }),
      );
      const rows = [...measured, ...counted];
      const origins = rows.map(() => ({ ...METRICS_ORIGIN, offset: written++ }));
      for (const writer of writers) await writer.write(rows, origins);
    },
  };
}
