import { readerAround, type SinkWriter, type SourceReader } from '../core/index.js';
import type { Input } from './input.js';
import { TaskMeter } from './measures/task-meter.js';
import type { TaskSnapshot } from './measures/task-snapshot.js';

/** What a task waits for: an input, a sink, an asynchronous step, or its ledger. */
export interface Reason {
  readonly kind: 'source' | 'step' | 'sink' | 'ledger' | 'quiet' | 'close';
  /** The id of the step; for the ledger, the operation. */
  readonly id: string;
}

export interface Wait {
  readonly reason: Reason;
  /** Operations in flight. */
  pending: number;
  /** Increases when one ends or makes progress; while it increases, the operations are not stuck. */
  ended: number;
  /** When `ended` rose last, or the first of them began; by the clock of the meter. */
  sinceMs: number;
}

/**
 * The operations of a task in flight, counted by reason instead of individually: a step with many rounds in flight makes progress
 * as long as any of them ends.
 *
 * Memory: one entry for each source, step and sink.
 */
export class PendingOperations {
  private readonly all = new Map<string, Wait>();

  /** Without a meter of its own, nobody looks at the times. */
  constructor(readonly meter: TaskMeter = new TaskMeter(() => 0)) {}

  /** Every reason with operations in flight. */
  *[Symbol.iterator](): Generator<Wait> {
    for (const wait of this.all.values()) if (wait.pending > 0) yield wait;
  }

  /** Counts `work` as in flight until it settles, and returns it. */
  track<T>(reason: Reason, work: Promise<T>): Promise<T> {
    const wait = this.of(reason);
    wait.pending += 1;
    if (wait.pending === 1) {
      wait.sinceMs = this.meter.now();
      this.meter.note(reason, true);
    }
    const end = () => {
      wait.pending -= 1;
      this.advance(wait);
      if (wait.pending === 0) this.meter.note(reason, false);
    };
    work.then(end, end);
    return work;
  }

  /** Reports progress of an operation in flight. */
  progress(reason: Reason): void {
    this.advance(this.of(reason));
  }

  /** Sets whether the task waits for something without a promise, such as an input without records. */
  set(reason: Reason, waiting: boolean): void {
    const wait = this.of(reason);
    if ((wait.pending === 1) === waiting) return;
    if (!waiting) wait.ended += 1;
    wait.pending = waiting ? 1 : 0;
    this.meter.note(reason, waiting);
  }

  /** Sinks, batched steps and the ledger with operations in flight, and how long they have made no progress. */
  silent(): TaskSnapshot['pending'] {
    const nowMs = this.meter.now();
    return [...this].flatMap(({ reason: { kind, id }, sinceMs }) =>
      kind === 'sink' || kind === 'step' || kind === 'ledger' ? [{ kind, id, silentMs: nowMs - sinceMs }] : [],
    );
  }

  private advance(wait: Wait): void {
    wait.ended += 1;
    wait.sinceMs = this.meter.now();
  }

  private of(reason: Reason): Wait {
    const key = `${reason.kind} ${reason.id}`;
    let wait = this.all.get(key);
    if (!wait) {
      wait = { reason, pending: 0, ended: 0, sinceMs: 0 };
      this.all.set(key, wait);
    }
    return wait;
  }
}

// Wrappers that register calls to the outside in `waits` while they are in flight.

/** A reader whose polls are registered. */
export function instrumentedReader(reader: SourceReader, source: string, waits: PendingOperations): SourceReader {
  const reason: Reason = { kind: 'source', id: source };
  return readerAround(reader, {
    poll: (recordsMax, bytesMax) => waits.track(reason, reader.poll(recordsMax, bytesMax)),
  });
}

/** A writer whose writes are registered; its failures are reported with the sink's id before they are thrown. */
export function instrumentedWriter(
  writer: SinkWriter,
  sink: string,
  waits: PendingOperations,
  onFailure: (sink: string, error: unknown) => void,
): SinkWriter {
  const reason: Reason = { kind: 'sink', id: sink };
  const watched = <T>(work: () => T): T => {
    try {
      const result = work();
      if (!(result instanceof Promise)) return result;
      return waits.track(reason, result.catch(failed)) as T;
    } catch (error) {
      return failed(error);
    }
  };
  const failed = (error: unknown): never => {
    onFailure(sink, error);
    throw error;
  };
  return {
    ...(writer.unrepresentable ? { unrepresentable: (value, origin) => writer.unrepresentable?.(value, origin) } : {}),
    ...(writer.takesAll ? { takesAll: (values, origins) => writer.takesAll?.(values, origins) ?? false } : {}),
    write: (values, origins) => watched(() => writer.write(values, origins)),
    recover: (values, origins) =>
      watched(() => (writer.recover ? writer.recover(values, origins) : writer.write(values, origins))),
    writeMarker: (marker) => watched(() => writer.writeMarker?.(marker)),
    finish: () => writer.finish?.(),
    isDue: () => writer.isDue?.() ?? false,
    prepare: async () => watched(() => writer.prepare?.()),
    commit: async () => watched(() => writer.commit?.()),
    close: () => writer.close(),
  };
}

/** Registers the inputs without records while other inputs have records that wait for them. */
export function noteQuiet(waits: PendingOperations, inputs: readonly Input[], blocked: boolean): void {
  const waiting = blocked && inputs.some(({ buffered }) => buffered > 0);
  for (const { key, buffered, ended } of inputs)
    waits.set({ kind: 'quiet', id: key }, waiting && buffered === 0 && !ended);
}
