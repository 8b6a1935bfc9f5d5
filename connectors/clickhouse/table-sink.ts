import type { Sink, SinkContext, SinkDriver, SinkWriter } from '../../src/core/io.js';
import type { Metric } from '../../src/core/metric.js';
import type { Origin } from '../../src/core/record.js';
import type { TableSinkOptions } from '../../src/core/sinks.js';
import { type FieldEncoder, fieldEncoder } from './encode-row.js';
import type { Statements } from './statements.js';
import { metricsTable, rowsOf, type StoredTable, setUpTable, sinkTable } from './tables.js';

/** Rows of one insert; large enough that the engine makes few parts, small enough to be one block. */
const INSERT_ROWS = 20_000;

/**
 * Writes `clickhouse.table` and `clickhouse.metrics`. Idempotent: a row repeated after a crash has the identity of the
 * first and replaces it, and readers of the view see one.
 *
 * Rows are inserted in batches, one at a time for each task and sink, all of them before the checkpoint is stored;
 * metrics after it. Memory: two batches of encoded rows for each task and sink.
 */
export function tableSink(statements: Statements): SinkDriver {
  return {
    mode: 'idempotent',
    setUp: (sink) => setUpTable(statements, tableOf(sink)),
    open: async (sink, context) =>
      sink.kind === 'clickhouse.metrics'
        ? openMetrics(statements, tableOf(sink))
        : openTable(statements, tableOf(sink), context),
  };
}

const tableOf = (sink: Sink<unknown>): StoredTable =>
  sink.kind === 'clickhouse.metrics'
    ? metricsTable((sink.options as { readonly table: string }).table)
    : sinkTable(sink.options as TableSinkOptions);

function openTable(statements: Statements, table: StoredTable, { step, incarnation }: SinkContext): SinkWriter {
  const fields = Object.entries(table.columns).map(([name, type]) => [name, fieldEncoder(name, type)] as const);
  const batch = new Batch(statements, table);
  const suffix = `\t${incarnation}\n`;
  let previous: Origin | undefined;
  let n = 0;
  return {
    write(values, origins) {
      for (let i = 0; i < values.length; i++) {
        const origin = origins[i] as Origin;
        n = origin === previous ? n + 1 : 0;
        previous = origin;
        batch.add(
          `${encodeFields(fields, values[i])}\t${step}\t${origin.topic}\t${origin.partition}\t${origin.offset}\t${n}${suffix}`,
        );
      }
      return batch.insertWhenFull();
    },
    prepare: () => batch.insertAll(),
    close: async () => undefined,
  };
}

function openMetrics(statements: Statements, table: StoredTable): SinkWriter {
  const fields = Object.entries(table.columns).map(([name, type]) => [name, fieldEncoder(name, type)] as const);
  const batch = new Batch(statements, table);
  return {
    write(values) {
      for (const value of values) {
        const { eventTimeMs, ...metric } = value as Metric;
        batch.add(`${encodeFields(fields, { ...metric, eventTime: eventTimeMs })}\n`);
      }
      return batch.insertWhenFull();
    },
    commit: () => batch.insertAll(),
    close: async () => undefined,
  };
}

function encodeFields(fields: readonly (readonly [name: string, encode: FieldEncoder])[], value: unknown): string {
  const row = value as Readonly<Record<string, unknown>>;
  let text = '';
  for (let i = 0; i < fields.length; i++) {
    const [name, encode] = fields[i] as (typeof fields)[number];
    text += i === 0 ? encode(row[name]) : `\t${encode(row[name])}`;
  }
  return text;
}

/** Encoded rows on their way: one batch fills while at most one other is being inserted. */
class Batch {
  private readonly columns: readonly string[];
  private readonly rowsTable: string;
  private rows: string[] = [];
  private inserting: Promise<unknown> | undefined;
  private failure: unknown;

  constructor(
    private readonly statements: Statements,
    table: StoredTable,
  ) {
    this.columns = [...Object.keys(table.columns), ...Object.keys(table.hidden)];
    this.rowsTable = rowsOf(table.name);
  }

  add(row: string): void {
    this.rows.push(row);
  }

  /** Starts an insert where a batch is full; a promise only where the writer must wait for the one before. */
  insertWhenFull(): void | Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (this.rows.length < INSERT_ROWS) return;
    if (!this.inserting) return this.start();
    return this.inserting.then(() => {
      if (this.failure !== undefined) throw this.failure;
      this.start();
    });
  }

  async insertAll(): Promise<void> {
    await this.inserting;
    if (this.failure === undefined) {
      this.start();
      await this.inserting;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private start(): void {
    if (this.rows.length === 0) return;
    const rows = this.rows.join('');
    this.rows = [];
    this.inserting = this.statements.insert(this.rowsTable, this.columns, rows).then(
      () => {
        this.inserting = undefined;
      },
      (error: unknown) => {
        this.inserting = undefined;
        this.failure = error;
      },
    );
  }
}
