import { SequenceAssigner } from '../../../src/connect/sequence-assigner.js';
import type { MetricRow, Origin } from '../../../src/core/record.js';
import type { SinkWriter } from '../../../src/core/sink.js';
import { getOrInsert } from '../../../src/util/maps.js';
import { quotedText, valueTypeOf } from '../values/index.js';
import type { Batches } from './batches.js';
import type { TableLayout } from './layout.js';
import { RowEncoder } from './rows.js';

/** Finds which rows of a source (topology, step, topic and partition in one string) are in the table. */
export type StoredIdentities = (source: string, fromOffset: number, toOffset: number) => Promise<ReadonlySet<string>>;

function rangesOf(
  origins: readonly Origin[],
  sourceOf: (origin: Origin) => string,
): Map<string, { from: number; to: number }> {
  const ranges = new Map<string, { from: number; to: number }>();
  for (const origin of origins) {
    const { offset } = origin;
    const range = getOrInsert(ranges, sourceOf(origin), () => ({ from: offset, to: offset }));
    range.from = Math.min(range.from, offset);
    range.to = Math.max(range.to, offset);
  }
  return ranges;
}

/** Writes values as rows, each with the identity of its record; all are in the table when `prepare` resolves. */
export class TableWriter implements SinkWriter {
  private readonly rows: RowEncoder;
  private readonly sequence = new SequenceAssigner();
  /** The origin of the last record, and its text in a row. */
  private topic = '';
  private partition = -1;
  private source = '';

  constructor(
    { columns, units }: TableLayout,
    private readonly batches: Batches,
    /** Topology and step. */
    private readonly prefix: string,
    private readonly incarnation: number,
    /** The identities (`offset/n`) of a source's rows in a range of offsets that are in the table. */
    private readonly stored: StoredIdentities,
  ) {
    this.rows = new RowEncoder(columns, units);
  }

  unrepresentable(value: unknown): string | undefined {
    return this.rows.unrepresentable(value);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    for (let i = 0; i < values.length; i++) {
      const origin = origins[i] as Origin;
      this.add(values[i], origin, this.sequence.next(origin));
    }
    return this.batches.pressure();
  }

  /** Inserts the rows that an earlier process did not insert: it looks up their identities first. */
  async recover(values: readonly unknown[], origins: readonly Origin[]): Promise<void> {
    const present = new Map<string, ReadonlySet<string>>();
    for (const [source, { from, to }] of rangesOf(origins, (origin) => this.nameOf(origin))) {
      present.set(source, await this.stored(source, from, to));
    }
    for (let i = 0; i < values.length; i++) {
      const origin = origins[i] as Origin;
      const n = this.sequence.next(origin);
      if (!present.get(this.nameOf(origin))?.has(`${origin.offset}/${n}`)) this.add(values[i], origin, n);
    }
    await this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  close(): Promise<void> {
    return this.batches.close();
  }

  private add(value: unknown, origin: Origin, n: number): void {
    const cells = this.rows.encode(value as Readonly<Record<string, unknown>>);
    this.batches.add(`[${cells}${this.sourceOf(origin)},${origin.offset},${n},${this.incarnation}]`);
  }

  private nameOf({ topic, partition }: Origin): string {
    return `${this.prefix}/${topic}/${partition}`;
  }

  /** The text in a row. */
  private sourceOf(origin: Origin): string {
    if (origin.topic !== this.topic || origin.partition !== this.partition) {
      this.topic = origin.topic;
      this.partition = origin.partition;
      this.source = quotedText(this.nameOf(origin));
    }
    return this.source;
  }
}

/**
 * Writes measurements. They are in the table before the checkpoint is stored. A crash in between leaves rows that the replay writes
 * again; inserting them after the checkpoint would lose those of the last epoch.
 */
export class MetricsWriter implements SinkWriter {
  constructor(
    private readonly batches: Batches,
    private readonly incarnation: number,
  ) {}

  write(values: readonly unknown[]): void | Promise<void> {
    for (const metric of values as readonly MetricRow[]) this.batches.add(this.row(metric));
    return this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  close(): Promise<void> {
    return this.batches.close();
  }

  private row({ topology, step, task, name, slice, version, eventTimeMs, value }: MetricRow): string {
    const words = [quotedText(topology), quotedText(step), task, quotedText(name)];
    const of = `${quotedText(slice)},${quotedText(version)}`;
    const atMs = Math.min(LATEST_MS, Math.max(EARLIEST_MS, eventTimeMs));
    return `[${words.join(',')},${time.write(atMs)},${number.write(value)},${of},${this.incarnation}]`;
  }
}

// A measurement may refer to the end of a window, which may lie beyond the range of the column.
const EARLIEST_MS = Date.UTC(1900, 0, 1);
const LATEST_MS = Date.UTC(2299, 11, 31, 23, 59, 59, 999);
const time = valueTypeOf('DateTime64(3)');
const number = valueTypeOf('Float64');
