import type { SinkWriter } from '../../src/core/io.js';
import { getOrInsert } from '../../src/core/maps.js';
import type { Metric } from '../../src/core/metric.js';
import { Numbering } from '../../src/core/numbering.js';
import type { Origin } from '../../src/core/record.js';
import type { Batches } from './batches.js';
import { type Encode, encoderOf } from './rows.js';
import type { TableLayout } from './table.js';

/** Looks up which rows of a source (topology, step, topic and partition in one word) are in the table. */
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

/** Writes values as rows, each with the identity of its record; everything is in the table when `prepare` resolves. */
export class TableWriter implements SinkWriter {
  private readonly encoders: readonly (readonly [string, Encode])[];
  private readonly numbering = new Numbering();
  private readonly sources = new Map<string, string>();

  constructor(
    { columns }: TableLayout,
    private readonly batches: Batches,
    /** Topology and step. */
    private readonly prefix: string,
    private readonly incarnation: number,
    /** Identities (`offset/n`) that a source's rows in a range of offsets have in the table already. */
    private readonly stored: StoredIdentities,
  ) {
    this.encoders = Object.entries(columns).map(([name, type]) => [name, encoderOf(name, type)]);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    for (let i = 0; i < values.length; i++) {
      const origin = origins[i] as Origin;
      this.add(values[i], origin, this.numbering.next(origin));
    }
    return this.batches.pressure();
  }

  /** Inserts the rows that an earlier process did not: their identities are looked up first. */
  async recover(values: readonly unknown[], origins: readonly Origin[]): Promise<void> {
    const present = new Map<string, ReadonlySet<string>>();
    for (const [source, { from, to }] of rangesOf(origins, (origin) => this.sourceOf(origin))) {
      present.set(source, await this.stored(JSON.parse(source), from, to));
    }
    for (let i = 0; i < values.length; i++) {
      const origin = origins[i] as Origin;
      const n = this.numbering.next(origin);
      if (!present.get(this.sourceOf(origin))?.has(`${origin.offset}/${n}`)) this.add(values[i], origin, n);
    }
    await this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  async close(): Promise<void> {}

  private add(value: unknown, origin: Origin, n: number): void {
    const fields = value as Readonly<Record<string, unknown>>;
    let row = '[';
    for (const [name, encode] of this.encoders) row += `${encode(fields[name])},`;
    this.batches.add(`${row}${this.sourceOf(origin)},${origin.offset},${n},${this.incarnation}]`);
  }

  private sourceOf({ topic, partition }: Origin): string {
    const key = `${topic}/${partition}`;
    const known = this.sources.get(key);
    if (known !== undefined) return known;
    const source = JSON.stringify(`${this.prefix}/${key}`);
    this.sources.set(key, source);
    return source;
  }
}

/**
 * Writes measurements. They are in the table before the checkpoint is stored: a crash in between leaves numbers that the
 * replay writes again, where inserting them afterwards would lose those of the last epoch.
 */
export class MetricsWriter implements SinkWriter {
  constructor(
    private readonly batches: Batches,
    private readonly incarnation: number,
  ) {}

  write(values: readonly unknown[]): void | Promise<void> {
    for (const metric of values as readonly Metric[]) this.batches.add(this.row(metric));
    return this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  async close(): Promise<void> {}

  private row({ topology, step, task, name, eventTimeMs, value }: Metric): string {
    const words = [JSON.stringify(topology), JSON.stringify(step), task, JSON.stringify(name)];
    return `[${words.join(',')},${encodeTime(eventTimeMs)},${encodeValue(value)},${this.incarnation}]`;
  }
}

const encodeTime = encoderOf('eventTime', 'DateTime64(3)');
const encodeValue = encoderOf('value', 'Float64');
