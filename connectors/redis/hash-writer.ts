import { MillraceError } from '../../src/core/errors.js';
import { hashFields } from '../../src/core/hash-fields.js';
import type { SinkContext, SinkWriter } from '../../src/core/io.js';
import { Numbering } from '../../src/core/numbering.js';
import type { Origin } from '../../src/core/record.js';
import type { HashSinkOptions } from '../../src/core/sinks.js';

/** Runs the script of `put-if-newer.ts`; repeated where the connection fails. */
export type PutIfNewer = (keys: readonly string[], args: readonly string[]) => Promise<number>;

/** Hashes of one call: Redis does nothing else while it runs, about 4 microseconds each. */
const CALL_RECORDS = 1_000;
/** Hashes that wait for a call in all, before the writer asks to wait. */
const WAITING_RECORDS = 8 * CALL_RECORDS;

interface Put {
  readonly key: string;
  readonly origin: Origin;
  readonly n: number;
  readonly fields: readonly string[];
}

/**
 * Writes the newest value of each key, one call after another: while one is under way the next fills up, so that a
 * call that failed is never overtaken. Memory: `WAITING_RECORDS` and one chunk.
 */
export class HashWriter implements SinkWriter {
  private readonly numbering = new Numbering();
  private waiting: Put[] = [];
  /** Settles when nothing waits; rejects for good once a call could not be made. */
  private sending: Promise<void> | undefined;
  private failure: unknown;

  constructor(
    private readonly options: HashSinkOptions,
    private readonly context: SinkContext,
    private readonly put: PutIfNewer,
  ) {}

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    for (let i = 0; i < values.length; i++) {
      const origin = origins[i] as Origin;
      const { key, content } = this.options;
      const fields = flat(hashFields(content ? content(values[i]) : values[i]));
      this.waiting.push({ key: key(values[i]), origin, n: this.numbering.next(origin), fields });
    }
    // What begins with nothing ends before it is assigned, and would be taken for under way from then on.
    if (this.waiting.length > 0) this.sending ??= this.send();
    if (this.waiting.length > WAITING_RECORDS) return this.sending;
  }

  async prepare(): Promise<void> {
    await this.sending;
    if (this.failure !== undefined) throw this.failure;
  }

  async close(): Promise<void> {
    this.waiting = [];
    await this.sending?.catch(() => undefined); // a call that is under way, or a failure that `prepare` told of
  }

  private send(): Promise<void> {
    const sending = this.sendAll();
    sending.catch(() => undefined); // whoever writes or prepares next is told
    return sending;
  }

  private async sendAll(): Promise<void> {
    try {
      while (this.waiting.length > 0) {
        const call = newestOfEachKey(takeOneTopic(this.waiting));
        const written = await this.put([this.fence, ...call.map(({ key }) => key)], this.argumentsOf(call));
        if (written < 0) throw this.fenced();
      }
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.sending = undefined;
    }
  }

  private get fence(): string {
    const { task, step } = this.context;
    return `millrace:fence:${task.topology}:${step}:${task.partition}`;
  }

  private argumentsOf(call: readonly Put[]): string[] {
    const topic = (call[0] as Put).origin.topic;
    const args = [String(this.context.incarnation), String(this.options.ttl ?? 0), topic];
    for (const { origin, n, fields } of call) {
      args.push(String(origin.offset), String(n), String(fields.length), ...fields);
    }
    return args;
  }

  private fenced(): MillraceError {
    const { step, incarnation } = this.context;
    return new MillraceError('fenced', `incarnation ${incarnation} writes where a newer one has written`, {
      where: step,
      hint: 'another process runs this topology from a later restore: stop this one',
    });
  }
}

/** Takes the next records of one topic off the list, up to the size of a call. */
function takeOneTopic(waiting: Put[]): Put[] {
  const topic = (waiting[0] as Put).origin.topic;
  let end = 1;
  while (end < waiting.length && end < CALL_RECORDS && waiting[end]?.origin.topic === topic) end++;
  return waiting.splice(0, end);
}

/** A key that is written twice in a call needs the last value only; order stays that of the records kept. */
function newestOfEachKey(puts: readonly Put[]): readonly Put[] {
  const last = new Map<string, number>();
  for (const [i, { key }] of puts.entries()) last.set(key, i);
  return last.size === puts.length ? puts : puts.filter(({ key }, i) => last.get(key) === i);
}

const flat = (fields: Readonly<Record<string, string>>): string[] => Object.entries(fields).flat();
