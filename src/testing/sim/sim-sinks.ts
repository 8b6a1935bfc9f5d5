import {
  type MetricRow,
  MillraceError,
  type Origin,
  type Sink,
  type SinkDriver,
  type SinkWriter,
  type TaskId,
} from '../../core/index.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { SimSession } from './sim-ledger.js';

/**
 * The sinks of the simulation, each like a kind of real sink: in the ledger's transaction; out of sight until the checkpoint that
 * has its committable; rows by identity, written in batches, at once or only after the checkpoint; hashes fenced by record; a plain
 * list, which a replay duplicates.
 */
export const sinkKinds = ['transactional', 'prepared', 'table', 'deferred', 'hash', 'append'] as const;
/** The kinds of simulated sinks. */
export type SinkKind = (typeof sinkKinds)[number];

export interface SimSinkOptions {
  /** For a hash: the key of a value. */
  readonly key?: (value: never) => string;
}

/** A simulated sink. */
export const simSink = <T>(kind: SinkKind, options: { readonly key?: (value: T) => string } = {}): Sink<T> => ({
  connector: kind,
  kind: `sim.${kind}`,
  settings: {},
  options,
  ...(kind === 'deferred' ? { deferred: { rowsMax: 500 } } : {}),
});

/** A stored value. */
export interface SimRow {
  readonly value: unknown;
  readonly topic: string;
  readonly offset: number;
}

/** The content of one sink of one task. */
export interface SimOutput {
  /** In the order in which they became visible (transactional, prepared, append). */
  readonly rows: SimRow[];
  /** Of each writer: its rows, and how many of them are visible (prepared). */
  readonly stages: { readonly rows: SimRow[]; shown: number }[];
  /** By topic, offset and index among the values of one record (table, deferred). */
  readonly byIdentity: Map<string, SimRow>;
  /** The newest value of each key (hash). */
  readonly byKey: Map<string, { readonly value: unknown; readonly offset: number; readonly n: number }>;
  /** The offset after the last answered write: the progress of the sink's tasks. */
  finished: number;
}

/** The contents of all sinks, by step and task. */
export class SimOutputs {
  private readonly outputs = new Map<string, SimOutput>();

  of(step: string, task: number): SimOutput {
    const key = `${step}/${task}`;
    const known = this.outputs.get(key);
    if (known) return known;
    const made = { rows: [], stages: [], byIdentity: new Map(), byKey: new Map(), finished: 0 };
    this.outputs.set(key, made);
    return made;
  }
}

/** The sink driver of one process. */
export function simSinkDriver(
  kind: SinkKind,
  outputs: SimOutputs,
  sessionOf: (task: TaskId) => SimSession,
  chaos: Chaos,
  random: Random,
): SinkDriver {
  return {
    mode: kind === 'transactional' || kind === 'prepared' || kind === 'append' ? kind : 'idempotent',
    open: async (sink, { step, task, committable }) => {
      const session = sessionOf(task);
      await session.process.reach(`open sink ${step}`);
      return new SimWriter(
        kind,
        sink.options as SimSinkOptions,
        outputs.of(step, task.partition),
        step,
        session,
        chaos,
        random,
        committable as Committable | undefined,
      );
    },
  };
}

/** Rows of a stage that survive a crash, as a file that is still open: the first of them are visible. */
interface Committable {
  readonly stage: number;
  readonly rows: number;
  readonly visible: number;
}

/** Makes rows of a stage visible, each once. */
function show({ stages, rows }: SimOutput, committable: Committable | undefined): void {
  const stage = stages[committable?.stage ?? -1];
  if (committable === undefined || stage === undefined) return;
  rows.push(...stage.rows.slice(stage.shown, committable.visible));
  stage.shown = Math.max(stage.shown, committable.visible);
}

class SimWriter implements SinkWriter {
  private readonly stage: number;
  private committable: Committable | undefined;
  private isFinishing = false;
  private busy = false;
  private closed = false;
  /** Rows of a table that were accepted and not yet written: a crash loses them. */
  private unsent: (() => void)[] = [];
  private refusals = 0;
  private topic = '';
  private offset = -1;
  private n = 0;

  constructor(
    private readonly kind: SinkKind,
    private readonly options: SimSinkOptions,
    private readonly output: SimOutput,
    private readonly step: string,
    private readonly session: SimSession,
    private readonly chaos: Chaos,
    private readonly random: Random,
    restored: Committable | undefined,
  ) {
    show(output, restored);
    const kept = output.stages[restored?.stage ?? -1]?.rows.slice(restored?.visible, restored?.rows) ?? [];
    this.stage = output.stages.push({ rows: kept, shown: 0 }) - 1;
  }

  finish(): void {
    this.isFinishing = true;
  }

  isDue(): boolean {
    const { rows = [], shown = 0 } = this.output.stages[this.stage] ?? {};
    return this.isFinishing && rows.length > shown;
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    const { process } = this.session;
    const where = `${process.name} task ${this.session.partition} sink ${this.step}`;
    if (this.busy) this.chaos.violated(`${where} is given a write before the last one was answered`);
    const waiting = process.reach(`before write to ${this.step}`);
    if (!waiting && !this.isRefusing(where)) {
      this.take(values, origins);
      return process.reach(`after write to ${this.step}`);
    }
    return this.writeLater(values, origins, waiting, where);
  }

  async prepare(): Promise<unknown> {
    const where = `${this.session.process.name} task ${this.session.partition} sink ${this.step}`;
    if (this.busy) this.chaos.violated(`${where} is prepared while a write is under way`);
    await this.session.process.reach(`before prepare of ${this.step}`);
    if (this.unsent.length > 1 && this.chaos.strikes('half', where)) {
      this.send(this.random.int(this.unsent.length));
      throw new MillraceError('sink', `${this.step} took a part of the rows`);
    }
    if (this.unsent.length > 0 && this.isRefusing(where)) throw new MillraceError('sink', `${this.step} refuses`);
    this.send(this.unsent.length);
    this.committable = this.kind === 'prepared' ? this.stageRows() : undefined;
    await this.session.process.reach(`after prepare of ${this.step}`);
    return this.committable;
  }

  async commit(): Promise<void> {
    await this.session.process.reach(`commit of ${this.step}`);
    show(this.output, this.committable);
  }

  private stageRows(): Committable | undefined {
    const { rows = [], shown = 0 } = this.output.stages[this.stage] ?? {};
    if (rows.length === shown) return undefined;
    const visible = this.isFinishing || this.random.chance(0.1) ? rows.length : shown;
    return { stage: this.stage, rows: rows.length, visible };
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.session.process.reach(`close of ${this.step}`);
  }

  private async writeLater(
    values: readonly unknown[],
    origins: readonly Origin[],
    waiting: Promise<void> | undefined,
    where: string,
  ): Promise<void> {
    this.busy = true;
    this.session.outstanding += 1;
    try {
      await waiting;
      while (this.isRefusing(where)) {
        // Real sinks retry for a while, then fail.
        if (this.random.chance(0.2)) throw new MillraceError('sink', `${this.step} refuses`);
        await this.session.process.clock.sleep(5 + this.random.int(50));
      }
      this.take(values, origins);
      await this.session.process.reach(`after write to ${this.step}`);
    } finally {
      this.busy = false;
      this.session.outstanding -= 1;
    }
  }

  private isRefusing(where: string): boolean {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return true;
    }
    if (!this.chaos.strikes('refuse', where)) return false;
    this.refusals = this.random.int(6);
    return true;
  }

  private take(values: readonly unknown[], origins: readonly Origin[]): void {
    if (this.closed) throw new MillraceError('sink', `${this.step} is closed`);
    for (let i = 0; i < values.length; i++) this.takeOne(values[i], origins[i]);
    const last = origins.at(-1);
    if (last) this.output.finished = Math.max(this.output.finished, last.offset + 1);
  }

  private takeOne(value: unknown, origin: Origin | undefined): void {
    const { output, session } = this;
    if (origin === undefined || origin.topic === '$metrics') {
      const { step, name, eventTimeMs } = value as MetricRow; // rows of the metrics sink are of no record
      const row = { value, topic: `${step}/${name}`, offset: eventTimeMs };
      session.pending.push(() => output.rows.push(row));
      return;
    }
    const row: SimRow = { value, topic: origin.topic, offset: origin.offset };
    if (this.kind === 'transactional') session.pending.push(() => output.rows.push(row));
    else if (this.kind === 'prepared') output.stages[this.stage]?.rows.push(row);
    else if (this.kind === 'append') output.rows.push(row);
    else {
      const n = this.number(origin);
      if (this.kind === 'hash') this.put(value, origin.offset, n);
      else this.unsent.push(() => this.insert(row, `${row.topic}/${row.offset}/${n}`));
    }
  }

  /** The index of the value among those of its record, which identifies a repeated row. */
  private number({ topic, offset }: Origin): number {
    const isSame = topic === this.topic && offset === this.offset;
    this.n = isSame ? this.n + 1 : 0;
    this.topic = topic;
    this.offset = offset;
    return this.n;
  }

  private put(value: unknown, offset: number, n: number): void {
    const key = this.options.key?.(value as never) ?? '';
    const held = this.output.byKey.get(key);
    if (held && (held.offset > offset || (held.offset === offset && held.n >= n))) return;
    this.output.byKey.set(key, { value, offset, n });
  }

  private insert(row: SimRow, identity: string): void {
    if (this.kind === 'deferred' && !this.session.isStored(row.topic, row.offset))
      this.chaos.violated(`${this.step} is given ${identity} before the checkpoint that keeps it`);
    const held = this.output.byIdentity.get(identity);
    if (held && !same(held.value, row.value))
      this.chaos.violated(
        `${this.step} is given another value for ${identity}: ${JSON.stringify(row.value)}, before ${JSON.stringify(held.value)}`,
      );
    this.output.byIdentity.set(identity, row);
  }

  private send(rows: number): void {
    for (const insert of this.unsent.splice(0, rows)) insert();
  }
}

/** Whether two values are the same bit for bit: numbers by `Object.is`, arrays and plain objects by their parts. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false;
    return true;
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  for (const name of names) if (!same(left[name], right[name])) return false;
  return true;
}
