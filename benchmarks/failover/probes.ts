import { setTimeout as sleep } from 'node:timers/promises';
import { kafka as specs } from '../../connectors/kafka/index.js';
import type { Kafka } from '../../connectors/kafka/open.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { SourceReader } from '../../src/core/source.js';
import { localRegistry, openCodec, type WireCodec } from '../../src/schema/index.js';
import { type Balance, balanceSchema, type Payment, paymentSchema, topics } from './topology.js';

/** How often every task is sent a probe. */
const EVERY_MS = 50;
const CHUNK = 20_000;

/** When the first answer to a probe that was sent after a moment could be read, by task. */
export type Answers = ReadonlyMap<number, number>;

/**
 * Sends payments and sees what becomes of them: fills the accounts, then sends one probe after another to every task and
 * reads the committed answers. Every probe goes to an account of its own, which must have been paid once before.
 */
export class Probes {
  /** Answers that tell of another state than what was put in. */
  wrong = 0;
  answered = 0;
  private readonly sent: number[] = [];
  private readonly producer;
  private waiting:
    | { readonly afterMs: number; readonly tasks: Set<number>; readonly found: Map<number, number> }
    | undefined;
  private stopped = false;
  private running: Promise<unknown> = Promise.resolve();

  private constructor(
    kafka: Kafka,
    /** Accounts of each task. */
    private readonly accounts: readonly number[],
    private readonly payments: WireCodec<Payment>,
    private readonly balances: WireCodec<Balance>,
    private readonly reader: SourceReader,
  ) {
    this.producer = kafka.producer();
  }

  static async open(kafka: Kafka, accounts: readonly number[]): Promise<Probes> {
    const registry = localRegistry();
    const [payments, balances] = [await openCodec(paymentSchema, registry), await openCodec(balanceSchema, registry)];
    const source = specs.source({ topic: topics.balances, schema: balanceSchema });
    const task = { topology: 'probes', partition: 0 };
    const reader = await kafka.source.open(source, {
      task,
      partition: task.partition,
      offset: EARLIEST,
      bounded: false,
      step: 'balances',
    });
    return new Probes(kafka, accounts, payments, balances, reader);
  }

  /** Pays every account once; resolves when all payments are in the log. */
  async fill(progress: (line: string) => void): Promise<void> {
    for (const [task, count] of this.accounts.entries()) {
      for (let from = 0; from < count; from += CHUNK) {
        const many = Array.from({ length: Math.min(CHUNK, count - from) }, (_, i) => this.record(task, from + i, 0));
        await this.producer.append(topics.payments, task, many);
      }
      progress(`${count} payments to accounts of task ${task} are in the log`);
    }
  }

  /** Begins to send and to read. */
  start(): void {
    this.running = Promise.all([this.send(), this.read()]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.reader.close();
    await this.producer.close();
  }

  /** Resolves when each of the tasks has answered a probe that was sent after this moment. */
  async answersAfter(afterMs: number, tasks: readonly number[], patienceMs = 600_000): Promise<Answers> {
    const waiting = { afterMs, tasks: new Set(tasks), found: new Map<number, number>() };
    this.waiting = waiting;
    for (const giveUpMs = Date.now() + patienceMs; waiting.found.size < waiting.tasks.size; await sleep(5)) {
      if (Date.now() > giveUpMs)
        throw new Error(`tasks ${[...waiting.tasks]} were asked, ${[...waiting.found.keys()]} answered`);
    }
    return waiting.found;
  }

  private async send(): Promise<void> {
    while (!this.stopped) {
      for (const task of this.accounts.keys()) {
        const n = this.sent[task] ?? 0;
        this.sent[task] = n + 1;
        await this.producer.append(topics.payments, task, [this.record(task, this.accountOf(task, n), Date.now())]);
      }
      await sleep(EVERY_MS);
    }
  }

  private async read(): Promise<void> {
    while (!this.stopped) {
      const { records } = await this.reader.poll(1_000);
      const nowMs = Date.now();
      for (const { value } of records) {
        const { task, payments, probeMs } = this.balances.decode(value as Uint8Array);
        this.answered += 1;
        if (payments !== 2) this.wrong += 1;
        const { waiting } = this;
        if (waiting?.tasks.has(task) && probeMs > waiting.afterMs && !waiting.found.has(task)) {
          waiting.found.set(task, nowMs);
        }
      }
    }
  }

  /** Spread over all accounts, each once. */
  private accountOf(task: number, n: number): number {
    const count = this.accounts[task] as number;
    if (n >= count) throw new Error(`task ${task} has no account left to probe`);
    return (n * 7_919) % count;
  }

  private record(task: number, account: number, probeMs: number) {
    const value = this.payments.encode({
      account: `${task}-${account.toString().padStart(9, '0')}`,
      amount: 5,
      probeMs,
    });
    return { key: null, value, timestampMs: Date.now() };
  }
}
