import type { TaskId } from './checkpoint.js';
import { MillraceError, messageOf } from './errors.js';
import type { WatermarkMarker } from './event-clock.js';
import type { KindDefinition, SinkKind, WriteMode } from './kind.js';
import type { Problem, Settings } from './operator.js';
import { atPlace, type Origin } from './record.js';

declare const IN: unique symbol;

/** The target of a sink: its name in messages, such as `stream payments`, and a sample of the names that it writes to. */
export interface SinkTarget {
  readonly name: string;
  readonly sample: string;
}

/** An output as inert data. `options` are those of the connector. */
export interface Sink<in T> {
  readonly connector: string;
  readonly kind: string;
  /** As for a source. */
  readonly definition?: KindDefinition<SinkKind> | undefined;
  readonly settings: Settings;
  /** Mistakes in its options, for `check`. */
  readonly problems?: readonly Problem[] | undefined;
  readonly options: unknown;
  /**
   * Write only after the checkpoint, which keeps the rows until the sink has written them. A task commits early rather than keep
   * more than `rowsMax` rows, or about `bytesMax` bytes (64 MiB by default).
   */
  readonly deferred?: { readonly rowsMax: number; readonly bytesMax?: number | undefined } | undefined;
  /**
   * Its values are changes: each replaces the earlier value of its key. A writer outside the ledger's transaction gets them
   * numbered: `offset` in their origins counts the changes of its task.
   */
  readonly changes?: boolean | undefined;
  /** Where it writes, if not to a topic: `check` asks sources whether they read from there. Missing if the values decide it. */
  readonly target?: SinkTarget | undefined;
  readonly [IN]?: ((value: T) => void) | undefined;
}

/** Writes to one sink for one task. */
export interface SinkWriter {
  /** Takes values in order, one origin each. The runtime never has two writes in flight. */
  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /**
   * Why the target cannot store a value. Called for each value, in the order of `write`, before it is written or kept; such values
   * go to the dead letters.
   */
  unrepresentable?(value: unknown, origin: Origin): string | undefined;
  /**
   * Whether the target can store all values of a chunk; called before `unrepresentable`, which is not called if so. For writers that
   * must encode values to know it, and keep what they encode of a whole chunk for its `write`.
   */
  takesAll?(values: readonly unknown[], origins: readonly Origin[]): boolean;
  /** Takes values of which an earlier process may have written some; if missing, `write` is called. */
  recover?(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void>;
  /** Writes the progress of this task to every partition of the target, after all its earlier writes. */
  writeMarker?(marker: WatermarkMarker): void;
  /** The inputs of a bounded run have ended: the next epoch is the last. */
  finish?(): void;
  /** Whether it wants an epoch although nothing was read. */
  isDue?(): boolean;
  /**
   * Called before the checkpoint is stored: afterwards the writes survive a crash, or are in the ledger's transaction. The
   * checkpoint stores the result as the committable and passes it to the next `open` of the sink.
   */
  prepare?(): Promise<unknown>;
  /** Called after the checkpoint is stored; can be repeated. */
  commit?(): Promise<void>;
  close(): Promise<void>;
}

/** The step and the task that a sink is opened for. */
export interface SinkContext {
  readonly step: string;
  readonly task: TaskId;
  readonly incarnation: number;
  /** The committable of the last epoch that was stored. */
  readonly committable?: unknown;
}

/** One mismatch as text. */
export const mismatchText = ({ what, setting, declared, actual }: ConfigMismatch): string =>
  `${what}: ${setting} is ${actual}, declared is ${declared}`;

/** A difference between an outside system and the declaration in the topology. */
export interface ConfigMismatch {
  /** Such as `topic 'scored.v1'`. */
  readonly what: string;
  readonly setting: string;
  readonly declared: string;
  readonly actual: string;
  readonly hint: string;
  /** Whether a run would refuse to start. */
  readonly refused: boolean;
}

/** Opens sinks of one kind, and states how they write. */
export interface SinkDriver {
  readonly mode: WriteMode;
  /** Creates what is missing and checks what exists; called once per run before any task opens. */
  setUp?(
    sink: Sink<unknown>,
    context: {
      readonly topology: string;
      readonly step: string;
      readonly partitions: number;
      /** Topics of the sink's connector that the topology reads. */
      readonly inputs?: readonly string[];
    },
  ): Promise<void>;
  /** Finds differences between what exists and what the sink declares. Changes nothing. */
  mismatches?(sink: Sink<unknown>): Promise<readonly ConfigMismatch[]>;
  /**
   * Refuses a target in which an earlier task of this name left fences, since writes from the start would be skipped as repeated.
   * Called when a task without a checkpoint opens. Such a task stores a first checkpoint before it writes.
   *
   * @throws MillraceError `config`, permanent, with the command that removes them.
   */
  refuseFences?(sink: Sink<unknown>, context: SinkContext): Promise<void>;
  open(sink: Sink<unknown>, context: SinkContext): Promise<SinkWriter>;
  /** Checks once, without a retry, whether the target answers. Called only while a sink is down. */
  ping?(): Promise<void>;
}

/**
 * The bytes of the key that a callback returned. Although typed as text, the key may be missing in values from outside. An empty
 * key would move the record to another partition, so a missing one is an error.
 *
 * @throws MillraceError `sink`, permanent, if the key is not a string.
 */
export function keyBytes(key: unknown): Uint8Array {
  if (typeof key === 'string') return Buffer.from(key);
  throw new MillraceError('sink', `the key is ${key === null ? 'null' : typeof key}, not text`, {
    hint: 'filter values without a key before the sink, or return text from `key` for all values',
    permanent: true,
  });
}

/** The longest key that an encoder remembers, and how many keys: a power of two. */
const KEY_LENGTH_MAX = 24;
const KEYS = 1_024;

/**
 * `keyBytes` for a stream of keys, which are often few: a short key that comes again has the same bytes, which must not be changed.
 *
 * Memory: 1,024 short keys.
 */
export function keyEncoder(): (key: unknown) => Uint8Array {
  const texts = new Array<string>(KEYS).fill('');
  const encoded = new Array<Uint8Array>(KEYS).fill(keyBytes(''));
  return (key) => {
    if (typeof key !== 'string' || key.length > KEY_LENGTH_MAX) return keyBytes(key);
    let hash = 0;
    for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
    const slot = (hash ^ (hash >>> 10)) & (KEYS - 1);
    if (texts[slot] !== key) {
      texts[slot] = key;
      encoded[slot] = keyBytes(key);
    }
    return encoded[slot] as Uint8Array;
  };
}

/**
 * Wraps an error thrown while a value was encoded for a sink. The result names the sink and, if known, the record that the value
 * came from. It is permanent: the same value fails at every try.
 *
 * @example
 * try { bytes = codec.encode(value); } catch (error) { throw unwritable(error, step, origin); }
 */
export function unwritable(error: unknown, step: string, origin?: Origin): MillraceError {
  const at = atPlace(origin);
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

export interface EncodingWriterParts<T> {
  /** A permanent `MillraceError` says that the target has no form of the value; any other error ends the run. */
  encode(value: unknown, origin: Origin): T;
  /** Why the target does not take it, such as its size; `undefined` if it does. */
  refusal?(encoded: T): string | undefined;
  append(encoded: readonly T[], origins: readonly Origin[]): void | Promise<void>;
}

/**
 * The writer of a sink that must encode a value to know whether the target takes it. A value is encoded once, when it is asked
 * about, or when it is written without a question; twice in a chunk with a value that is refused.
 *
 * Memory: the encoded values that were asked about and are not written yet, those of the rounds in flight.
 */
export function encodingWriter<T>(
  parts: EncodingWriterParts<T>,
): Required<Pick<SinkWriter, 'write' | 'unrepresentable' | 'takesAll'>> {
  const { encode, refusal, append } = parts;
  // The runtime asks about a chunk while the one before is written.
  const chunks = new WeakMap<readonly unknown[], readonly T[]>();
  // What was asked about one by one and not written yet, in order.
  let asked: unknown[] = [];
  let ahead: T[] = [];
  return {
    takesAll(values, origins) {
      const encoded: T[] = [];
      try {
        for (let i = 0; i < values.length; i++) {
          const each = encode(values[i], origins[i] as Origin);
          if (refusal?.(each) !== undefined) return false;
          encoded.push(each);
        }
      } catch {
        return false; // asked one by one, it fails again, and is told with its record
      }
      if (values.length > 0) chunks.set(values, encoded);
      return true;
    },
    unrepresentable(value, origin) {
      let encoded: T;
      try {
        encoded = encode(value, origin);
      } catch (error) {
        if (error instanceof MillraceError && error.permanent) return error.message;
        throw error;
      }
      const why = refusal?.(encoded);
      if (why === undefined) {
        asked.push(value);
        ahead.push(encoded);
      }
      return why;
    },
    write(values, origins) {
      const whole = chunks.get(values);
      if (whole !== undefined) {
        chunks.delete(values);
        return append(whole, origins);
      }
      const known = asked.length > values.length ? asked.splice(0, values.length) : asked;
      const encoded = asked === known ? ahead : ahead.splice(0, values.length);
      if (asked === known) {
        asked = [];
        ahead = [];
      }
      for (let i = 0; i < values.length; i++) {
        if (i >= known.length || known[i] !== values[i]) encoded[i] = encode(values[i], origins[i] as Origin);
      }
      return append(encoded, origins);
    },
  };
}
