import type { SinkWriter } from '../../src/core/io.js';
import type { Metric } from '../../src/core/metric.js';
import { Numbering } from '../../src/core/numbering.js';
import type { Origin } from '../../src/core/record.js';
import type { Batches } from './batches.js';
import { type Encode, encoderOf } from './rows.js';
import type { TableLayout } from './table.js';

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
  ) {
    this.encoders = Object.entries(columns).map(([name, type]) => [name, encoderOf(name, type)]);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as Readonly<Record<string, unknown>>;
      const origin = origins[i] as Origin;
      let row = '[';
      for (const [name, encode] of this.encoders) row += `${encode(value[name])},`;
      row += `${this.sourceOf(origin)},${origin.offset},${this.numbering.next(origin)},${this.incarnation}]`;
      this.batches.add(row);
    }
    return this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  async close(): Promise<void> {}

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
