import { readerAround, type SinkWriter, type SourceReader } from '../core/index.js';
import type { Input } from './input.js';

/** What a task may be waiting for: one of its inputs or sinks, a step that answers later, its ledger. */
export interface Reason {
  readonly kind: 'source' | 'step' | 'sink' | 'ledger' | 'quiet' | 'close';
  /** The id of the step; of the ledger, what it does. */
  readonly id: string;
}

export interface Wait {
  readonly reason: Reason;
  /** Operations under way. */
  pending: number;
  /** Grows with each that ends or gets on: as long as it grows, something gets on. */
  ended: number;
}

/**
 * The operations of a task that have begun and not yet ended, by what they ask. Told apart by reason and not one by one:
 * a step with many rounds under way gets on as long as any of them ends.
 *
 * Memory: one entry for each source, step and sink.
 */
export class PendingOperations {
  private readonly all = new Map<string, Wait>();

  /** Every wait with something under way. */
  *[Symbol.iterator](): Generator<Wait> {
    for (const wait of this.all.values()) if (wait.pending > 0) yield wait;
  }

  /** Counts `work` as under way until it settles, and gives it back. */
  track<T>(reason: Reason, work: Promise<T>): Promise<T> {
    const wait = this.of(reason);
    wait.pending += 1;
    const end = () => {
      wait.pending -= 1;
      wait.ended += 1;
    };
    work.then(end, end);
    return work;
  }

  /** Something under way gets on, though it has not ended. */
  progress(reason: Reason): void {
    this.of(reason).ended += 1;
  }

  /** Whether the task waits for something that has no promise: for an input that brings nothing. */
  set(reason: Reason, waiting: boolean): void {
    const wait = this.of(reason);
    if (wait.pending === 1 && !waiting) wait.ended += 1;
    wait.pending = waiting ? 1 : 0;
  }

  private of(reason: Reason): Wait {
    const key = `${reason.kind} ${reason.id}`;
    let wait = this.all.get(key);
    if (!wait) {
      wait = { reason, pending: 0, ended: 0 };
      this.all.set(key, wait);
    }
    return wait;
  }
}

// The places where a task waits for the world outside, made visible: what is asked and not yet answered is in `waits`.

/** A reader whose polls can be seen. */
export function instrumentedReader(reader: SourceReader, source: string, waits: PendingOperations): SourceReader {
  const reason: Reason = { kind: 'source', id: source };
  return readerAround(reader, {
    poll: (recordsMax, bytesMax) => waits.track(reason, reader.poll(recordsMax, bytesMax)),
  });
}

/** A writer whose answers can be waited for in sight, and whose failures are told, with the sink's id, before they spread. */
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
    ...(writer.unrepresentable ? { unrepresentable: (value) => writer.unrepresentable?.(value) } : {}),
    write: (values, origins) => watched(() => writer.write(values, origins)),
    recover: (values, origins) =>
      watched(() => (writer.recover ? writer.recover(values, origins) : writer.write(values, origins))),
    mark: (mark) => watched(() => writer.mark?.(mark)),
    finish: () => writer.finish?.(),
    isDue: () => writer.isDue?.() ?? false,
    prepare: async () => watched(() => writer.prepare?.()),
    commit: async () => watched(() => writer.commit?.()),
    close: () => writer.close(),
  };
}

/** Notes which inputs bring nothing while another one has records that wait for them. */
export function noteQuiet(waits: PendingOperations, inputs: readonly Input[], blocked: boolean): void {
  const waiting = blocked && inputs.some(({ buffered }) => buffered > 0);
  for (const { key, buffered, ended } of inputs)
    waits.set({ kind: 'quiet', id: key }, waiting && buffered === 0 && !ended);
}
