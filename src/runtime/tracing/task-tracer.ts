import type { Chunk, Origin } from '../../core/index.js';
import type { Round } from '../merge.js';
import type { Span, Tracing } from './span.js';
import { newSpanId, newTraceId, seedOf, traceContextOf } from './trace-context.js';

export interface TaskTracerOptions {
  readonly tracing: Tracing;
  readonly topology: string;
  readonly task: number;
  /** Milliseconds since 1970, and finer ones since any moment. */
  readonly now: () => number;
  readonly fine: () => number;
}

/** Records that are traced between two checkpoints; more are not. */
const RECORDS_MAX = 256;
/** Spans of one record: a record that makes many has no more. */
const SPANS_MAX = 128;
const LINKS_MAX = 32;

const NONE: Round['ticks'] = [];

/** The phases of an epoch, in order. */
export type EpochPhase = 'drain' | 'prepare' | 'store' | 'commit';

/** A record on its way from source to sinks. */
interface Traced {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly origin: Origin;
  endMs: number;
  spans: number;
}

/**
 * The spans of a task: of each traced record from its poll to its last write, with one below it for each step and sink whose chunk has the
 * record; and of each epoch that commits such records, with its phases and a link to each record. A step is measured by its chunk.
 *
 * A chunk of a round without traced records costs one look into a map. Memory: 256 records.
 */
export class TaskTracer {
  /** The traced records of each round, by what all chunks of the round share. */
  private readonly rounds = new Map<Round['ticks'], readonly Traced[]>();
  private records = 0;
  private readonly attributes: Readonly<Record<string, string | number>>;
  /** Between the fine clock and 1970. */
  private readonly sinceMs: number;
  private phases: { readonly name: EpochPhase; readonly startMs: number }[] = [];

  constructor(private readonly options: TaskTracerOptions) {
    const { topology, task, now, fine } = options;
    this.attributes = { 'millrace.topology': topology, 'millrace.task': task };
    this.sinceMs = now() - fine();
  }

  /** Draws the records of a round. */
  begin({ shares, ticks }: Round): void {
    const { share } = this.options.tracing;
    const drawn: Traced[] = [];
    for (const { origins } of shares) {
      const seed = seedOf(origins[0]?.topic ?? '');
      for (const origin of origins) {
        const isFull = this.records + drawn.length >= RECORDS_MAX;
        const context = isFull ? undefined : traceContextOf(origin, share, seed);
        if (!context) continue;
        const { traceId, parentSpanId } = context;
        const spanId = newSpanId();
        drawn.push({ traceId, parentSpanId, spanId, origin, endMs: this.nowMs(), spans: 0 });
      }
    }
    if (drawn.length === 0) return;
    this.records += drawn.length;
    this.rounds.set(ticks, drawn);
  }

  /** Work of a step or a sink on chunks of a round, which ends at once or later. */
  during<T>(name: string, chunks: readonly Chunk[], work: () => T): T {
    const records = this.records === 0 ? undefined : this.rounds.get(chunks[0]?.ticks ?? NONE);
    if (!records) return work();
    const startMs = this.nowMs();
    const result = work();
    const end = () => this.end(name, chunks, records, startMs);
    if (result instanceof Promise) result.then(end, end);
    else end();
    return result;
  }

  /** A phase of the epoch begins, and the one before it ends. */
  phase(name: EpochPhase): void {
    if (this.records > 0) this.phases.push({ name, startMs: this.nowMs() });
  }

  /** The epoch is committed, and with it the records. */
  committed(epoch: number): void {
    if (this.records === 0) return;
    const { tracing } = this.options;
    const endMs = this.nowMs();
    const records = [...this.rounds.values()].flat();
    for (const record of records) this.finish(record);
    const [first] = this.phases;
    if (first) {
      const own = { traceId: newTraceId(), spanId: newSpanId() };
      tracing.add({
        ...{ ...own, name: 'epoch', kind: 'internal', startMs: first.startMs, endMs },
        attributes: { ...this.attributes, 'millrace.epoch': epoch },
        links: records.slice(0, LINKS_MAX).map(({ traceId, spanId }) => ({ traceId, spanId })),
      });
      for (const [i, { name, startMs }] of this.phases.entries())
        tracing.add({
          ...{ traceId: own.traceId, spanId: newSpanId(), parentSpanId: own.spanId, name, kind: 'internal', startMs },
          ...{ endMs: this.phases[i + 1]?.startMs ?? endMs, attributes: this.attributes },
        });
    }
    this.clear();
  }

  /** The task ends without a commit: its records are read again. */
  abandoned(): void {
    for (const record of [...this.rounds.values()].flat()) this.finish(record, 'the task ended before its checkpoint');
    this.clear();
  }

  private end(name: string, chunks: readonly Chunk[], records: readonly Traced[], startMs: number): void {
    const endMs = this.nowMs();
    for (const { origins } of chunks)
      for (const record of records) {
        if (record.spans >= SPANS_MAX || !origins.includes(record.origin)) continue;
        record.spans += 1;
        record.endMs = endMs;
        this.options.tracing.add({
          ...{ traceId: record.traceId, spanId: newSpanId(), parentSpanId: record.spanId },
          ...{ name, kind: 'internal', startMs, endMs },
          attributes: { ...this.attributes, 'millrace.chunk.records': origins.length },
        });
      }
  }

  private finish({ traceId, spanId, parentSpanId, origin, endMs }: Traced, error?: string): void {
    const { topic, partition, offset, receivedAtMs, eventTimeMs } = origin;
    const span: Span = {
      ...{ traceId, spanId, parentSpanId, name: `process ${topic}`, kind: 'consumer', startMs: receivedAtMs, endMs },
      attributes: {
        ...this.attributes,
        ...{ 'messaging.operation.type': 'process', 'messaging.destination.name': topic },
        ...{ 'messaging.destination.partition.id': String(partition), 'messaging.kafka.offset': offset },
        'millrace.event_time': Number.isFinite(eventTimeMs) ? new Date(eventTimeMs).toISOString() : '',
      },
      ...(error === undefined ? {} : { error }),
    };
    this.options.tracing.add(span);
  }

  private clear(): void {
    this.records = 0;
    this.rounds.clear();
    this.phases = [];
  }

  private nowMs(): number {
    return this.options.fine() + this.sinceMs;
  }
}
