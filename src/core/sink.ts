import type { TaskId } from './checkpoint.js';
import { MillraceError, messageOf } from './errors.js';
import type { WatermarkMarker } from './event-clock.js';
import type { KindDefinition, SinkKind, WriteMode } from './kind.js';
import type { Problem, Settings } from './operator.js';
import type { Origin } from './record.js';

declare const IN: unique symbol;

/** Where a sink writes: what messages call it, and a name such as its values may get there. */
export interface SinkPlace {
  readonly called: string;
  readonly sample: string;
}

/** An output as inert data. `options` is the connector's own business. */
export interface Sink<in T> {
  readonly connector: string;
  readonly kind: string;
  /** As of a source. */
  readonly definition?: KindDefinition<SinkKind> | undefined;
  readonly settings: Settings;
  /** What is wrong with its options: `check` tells of it. */
  readonly problems?: readonly Problem[] | undefined;
  readonly options: unknown;
  /**
   * Written only after the checkpoint, from rows that the checkpoint keeps until the sink has taken them; a task commits
   * early rather than keep more than `rowsMax`, or about `bytesMax` bytes (64 MiB by default).
   */
  readonly deferred?: { readonly rowsMax: number; readonly bytesMax?: number | undefined } | undefined;
  /**
   * Its values are changes, each taking the place of what was written of its key before. A writer outside the ledger's
   * transaction is given them numbered: `offset` in their origins counts those of its task.
   */
  readonly changes?: boolean | undefined;
  /** Where it writes, if not to a topic: `check` asks sources whether they read that. None where values decide it. */
  readonly place?: SinkPlace | undefined;
  readonly [IN]?: ((value: T) => void) | undefined;
}

/** Writes what reaches one sink of one task. */
export interface SinkWriter {
  /** Takes values in order, one origin each; the runtime never has two writes outstanding. */
  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /** Why the target has no room for a value: asked of each before it is written or kept for later; such go to the dead letters. */
  unrepresentable?(value: unknown): string | undefined;
  /** Takes values of which an earlier process may have written some; without it they are simply written again. */
  recover?(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /** Tells every partition of the target how far this task has come, behind all that it wrote before. */
  mark?(mark: WatermarkMarker): void;
  /** The inputs of a bounded run have ended: nothing follows the next epoch. */
  finish?(): void;
  /** Whether it wants an epoch although nothing was read. */
  isDue?(): boolean;
  /**
   * Before the checkpoint is stored: from here on these writes survive a crash (or are in the ledger's transaction). What
   * a prepared sink resolves with is stored in the checkpoint, and given back to whoever opens the sink after it.
   */
  prepare?(): Promise<unknown>;
  /** After the checkpoint is stored; repeatable. */
  commit?(): Promise<void>;
  close(): Promise<void>;
}

/** Which step, of which task, a sink is opened for. */
export interface SinkContext {
  readonly step: string;
  readonly task: TaskId;
  readonly incarnation: number;
  /** What the sink said as it prepared the last epoch that was stored. */
  readonly committable?: unknown;
}

/** One difference, in words. */
export const mismatchText = ({ what, setting, declared, actual }: ConfigMismatch): string =>
  `${what}: ${setting} is ${actual}, declared is ${declared}`;

/** Something outside that is not as the topology declares it. */
export interface ConfigMismatch {
  /** Such as `topic 'scored.v1'`. */
  readonly what: string;
  readonly setting: string;
  readonly declared: string;
  readonly actual: string;
  readonly hint: string;
  /** A run would not start. */
  readonly refused: boolean;
}

/** Opens sinks of one kind, and knows how sure their writes are. */
export interface SinkDriver {
  readonly mode: WriteMode;
  /** Creates what is missing, checks what is there; called once a run before any task opens. */
  setUp?(
    sink: Sink<unknown>,
    context: { readonly topology: string; readonly step: string; readonly partitions: number },
  ): Promise<void>;
  /** Looks where what is there differs from what the sink declares, and changes nothing. */
  mismatches?(sink: Sink<unknown>): Promise<readonly ConfigMismatch[]>;
  open(sink: Sink<unknown>, context: SinkContext): Promise<SinkWriter>;
  /** Asks whether what it writes to answers, once and without trying again. Asked only while a sink is down. */
  ping?(): Promise<void>;
}

/**
 * The key of a record as a callback gave it, as bytes. Types say text; values that came in from outside may lack the field
 * all the same, and what is missing must not become an empty key that moves a record to another partition.
 *
 * @throws MillraceError `sink`, permanent, where it is no text.
 */
export function keyBytes(key: unknown): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key);
  throw new MillraceError('sink', `the key is ${key === null ? 'null' : typeof key}, not text`, {
    hint: 'filter values without a key before the sink, or return text from `key` for all values',
    permanent: true,
  });
}

/**
 * What was thrown while a value was made into what a sink writes, as an error that names the sink and, where it is known,
 * the record that the value came of. The same value fails at every try.
 *
 * @example
 * try { bytes = codec.encode(value); } catch (error) { throw unwritable(error, step, origin); }
 */
export function unwritable(error: unknown, step: string, origin?: Origin): MillraceError {
  const at = origin ? ` at ${origin.topic}[${origin.partition}]@${origin.offset}` : '';
  if (!(error instanceof MillraceError)) {
    return new MillraceError('sink', `a callback of the sink threw: ${messageOf(error)}${at}`, {
      where: step,
      hint: '--verbose prints the stack',
      permanent: true,
      cause: error,
    });
  }
  const { code, message, where, hint, permanent } = error;
  const details = { where: where === undefined ? step : `${step} (${where})`, permanent, cause: error };
  return new MillraceError(code, `${message}${at}`, hint === undefined ? details : { ...details, hint });
}
