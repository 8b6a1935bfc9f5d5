import { BatchingWriter } from '../../src/connect/batching-writer.js';
import { fencedBy } from '../../src/connect/fenced.js';
import { SequenceAssigner } from '../../src/connect/sequence-assigner.js';
import type { Origin } from '../../src/core/record.js';
import type { SinkContext, SinkWriter } from '../../src/core/sink.js';
import { type CallText, fenceName } from './fenced.js';
import type { Structure } from './structures.js';

/** A call of the script in `fenced.ts`. */
export interface Call {
  readonly keys: readonly string[];
  /** A `CallText`, then the bytes that it refers to. */
  readonly args: readonly (string | Buffer)[];
}

/** Makes calls, in any order, and repeats them if the connection fails. Resolves with the number of records that each wrote. */
export type MakeCalls = (calls: readonly Call[]) => Promise<readonly number[]>;

/** Defines which keys one call may touch, and the fence of that call. */
export interface Slots {
  /** Keys with the same result may be in one call. */
  of(key: string): number;
  fence(name: string, slot: number): string;
}

/** The most records of one call. */
const CALL_RECORDS = 1_000;
/** The most strings of one call; it limits calls with wide records. */
const CALL_STRINGS = 100_000;

interface Put {
  readonly key: string;
  readonly origin: Origin;
  readonly n: number;
  readonly strings: readonly (string | Buffer)[];
}

/** Writes records with a fenced script; at most some thousand wait. */
export class FencedWriter implements SinkWriter {
  readonly unrepresentable: (value: unknown) => string | undefined;
  private readonly sequence = new SequenceAssigner();
  private readonly out: BatchingWriter<Put>;

  constructor(
    private readonly structure: Structure,
    private readonly context: SinkContext,
    private readonly slots: Slots,
    private readonly makeCalls: MakeCalls,
  ) {
    this.unrepresentable = structure.unrepresentable;
    this.out = new BatchingWriter<Put>({
      batchMax: CALL_RECORDS,
      unsentMax: 10 * CALL_RECORDS,
      sizeOf: ({ strings }) => Math.max(1, (strings.length * CALL_RECORDS) / CALL_STRINGS),
      together: (first, next) => first.origin.topic === next.origin.topic,
      batch: (puts) => {
        const calls = this.callsOf(puts);
        return () => this.send(calls);
      },
    });
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    const { key, strings } = this.structure;
    return this.out.put(
      values.map((value, i) => {
        const origin = origins[i] as Origin;
        return { key: key(value), origin, n: this.sequence.next(origin), strings: strings(value) };
      }),
    );
  }

  prepare(): Promise<void> {
    return this.out.drain();
  }

  close(): Promise<void> {
    return this.out.close();
  }

  private async send(calls: readonly Call[]): Promise<void> {
    const written = await this.makeCalls(calls);
    if (written.some((count) => count < 0)) throw fencedBy(this.context);
  }

  private callsOf(taken: readonly Put[]): Call[] {
    const puts = this.structure.replaces ? newestOfEachKey(taken) : taken;
    const bySlot = new Map<number, Put[]>();
    for (const put of puts) {
      const slot = this.slots.of(put.key);
      const there = bySlot.get(slot);
      if (there) there.push(put);
      else bySlot.set(slot, [put]);
    }
    return [...bySlot].map(([slot, there]) => this.callOf(slot, there));
  }

  private callOf(slot: number, puts: readonly Put[]): Call {
    const { task, step, incarnation } = this.context;
    const { ttl = 0, limit = 0, how } = this.structure;
    const { topic } = (puts[0] as Put).origin;
    const keys = [this.slots.fence(fenceName(task, step), slot), ...puts.map(({ key }) => key)];
    const bytes: Buffer[] = [];
    const rows = puts.map(({ origin, n, strings }): CallText['rows'][number] => [
      origin.offset,
      n,
      ...strings.map((each) => (typeof each === 'string' ? each : 1 + bytes.push(each))),
    ]);
    const call: CallText = { incarnation, topic, ttl, limit, how, rows };
    return { keys, args: [JSON.stringify(call), ...bytes] };
  }
}

/** If a call writes a key twice, only the last value is needed. The kept records stay in order. */
function newestOfEachKey(puts: readonly Put[]): readonly Put[] {
  const last = new Map<string, number>();
  for (const [i, { key }] of puts.entries()) last.set(key, i);
  return last.size === puts.length ? puts : puts.filter(({ key }, i) => last.get(key) === i);
}
