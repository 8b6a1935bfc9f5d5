import { BatchingWriter } from '../../src/connect/batching-writer.js';
import { fencedBy } from '../../src/connect/fenced.js';
import { SequenceAssigner } from '../../src/connect/sequence-assigner.js';
import type { Origin } from '../../src/core/record.js';
import type { SinkContext, SinkWriter } from '../../src/core/sink.js';
import { arrayOf, type Cell, cellOf } from './cells.js';
import type { Run } from './connection.js';
import type { TableOptions } from './kinds.js';
import { FENCES, insertSql } from './table.js';
import { rowCheck } from './unrepresentable.js';

/** Does some work in one transaction, again if the connection fails. */
export type Transaction = <T>(work: (run: Run) => Promise<T>) => Promise<T>;

/** Rows per transaction. */
const BATCH_ROWS = 2_000;
/** The most rows that wait before the writer returns a promise. */
const UNSENT_ROWS = 5 * BATCH_ROWS;

interface Row {
  readonly source: string;
  readonly offset: number;
  readonly n: number;
  readonly cells: readonly Cell[];
}

type Fence = Record<string, readonly [offset: number, n: number]>;

/**
 * Writes rows in transactions that also move the task's fence, one after another. If the answer of a transaction is lost, it is
 * repeated and skips the rows up to the fence. Memory: `UNSENT_ROWS` and one chunk.
 */
export class TableWriter implements SinkWriter {
  private readonly sequence = new SequenceAssigner();
  readonly unrepresentable: (value: unknown) => string | undefined;
  private readonly insert: string;
  private readonly fields: readonly string[];
  private readonly cells: readonly ((value: unknown) => Cell)[];
  private readonly out: BatchingWriter<Row>;

  constructor(
    private readonly options: TableOptions,
    private readonly context: SinkContext,
    transaction: Transaction,
  ) {
    this.insert = insertSql(options);
    this.unrepresentable = rowCheck(options);
    this.fields = Object.keys(options.columns);
    this.cells = Object.values(options.columns).map(cellOf);
    this.out = new BatchingWriter<Row>({
      batchMax: BATCH_ROWS,
      unsentMax: UNSENT_ROWS,
      eager: false, // every transaction has a cost, however few rows it has
      batch: (rows) => () => transaction((run) => this.put(run, rows)),
    });
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    return this.out.put(
      values.map((each, i) => {
        const origin = origins[i] as Origin;
        const value = (each ?? {}) as Readonly<Record<string, unknown>>;
        return {
          source: `${origin.topic}/${origin.partition}`,
          offset: origin.offset,
          n: this.sequence.next(origin),
          cells: this.cells.map((cell, column) => cell(value[this.fields[column] as string])),
        };
      }),
    );
  }

  prepare(): Promise<void> {
    return this.out.drain();
  }

  close(): Promise<void> {
    return this.out.close();
  }

  private async put(run: Run, rows: readonly Row[]): Promise<void> {
    const fence = await this.lockFence(run);
    const fresh = rows.filter(({ source, offset, n }) => {
      const [lastOffset, lastN] = fence[source] ?? [-1, -1];
      return offset > lastOffset || (offset === lastOffset && n > lastN);
    });
    if (fresh.length === 0) return;
    const written = this.newestOfEachKey(fresh);
    await run(
      this.insert,
      this.cells.map((_, column) => arrayOf(written.map(({ cells }) => cells[column] as Cell))),
    );
    for (const { source, offset, n } of fresh) fence[source] = [offset, n];
    const { task, step } = this.context;
    await run(`UPDATE ${FENCES} SET sources = $4::jsonb WHERE topology = $1 AND step = $2 AND task = $3`, [
      task.topology,
      step,
      task.partition,
      JSON.stringify(fence),
    ]);
  }

  /** Reads the fence and locks it until the transaction ends. */
  private async lockFence(run: Run): Promise<Fence> {
    const { task, step, incarnation } = this.context;
    const [stored] = await run<{ incarnation: string; sources: Fence }>(
      `INSERT INTO ${FENCES} AS f (topology, step, task, incarnation, sources) VALUES ($1, $2, $3, $4, '{}')
       ON CONFLICT (topology, step, task) DO UPDATE SET
         incarnation = greatest(f.incarnation, EXCLUDED.incarnation),
         sources = CASE WHEN f.incarnation < EXCLUDED.incarnation THEN '{}' ELSE f.sources END
       RETURNING incarnation, sources`,
      [task.topology, step, task.partition, incarnation],
    );
    if (Number(stored?.incarnation) > incarnation) throw fencedBy(this.context);
    return { ...stored?.sources };
  }

  /**
   * Sends only the last row of each key, as far as equal keys have equal texts; the statement compares the rest. The rows keep
   * their order, by which it knows the newest.
   */
  private newestOfEachKey(rows: readonly Row[]): readonly Row[] {
    const { key } = this.options;
    if (key.length === 0) return rows;
    const columns = key.map((name) => this.fields.indexOf(name));
    const last = new Map<string, Row>();
    for (const row of rows) {
      const text = JSON.stringify(columns.map((column) => row.cells[column]));
      last.delete(text); // a map keeps the place of the first
      last.set(text, row);
    }
    return last.size === rows.length ? rows : [...last.values()];
  }
}
