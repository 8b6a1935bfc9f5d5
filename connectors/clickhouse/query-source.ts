import { MillraceError } from '../../src/core/errors.js';
import type { RawRecord } from '../../src/core/record.js';
import { type Polled, type SourceDriver, type SourceReader, sliceOfPoll } from '../../src/core/source.js';
import { pause } from '../../src/util/pause.js';
import { type RetryOptions, retry } from '../../src/util/retry.js';
import type { Engine } from './engine/engine.js';
import { explain } from './errors.js';
import type { Query } from './kinds.js';
import { type Cursor, QueryPages, type Row } from './query/query-pages.js';

/** The longest wait of one poll of the runtime. */
const POLL_WAIT_MS = 100;

/** The position of the next row: after one that was read, and the end of the query. */
export interface QuerySourceState {
  readonly orderBy: readonly string[];
  readonly after: Cursor | null;
  readonly bound: Cursor | null;
}

interface QueryTask {
  readonly bounded: boolean;
  readonly offset: number;
  readonly sourceState: QuerySourceState | undefined;
}

/**
 * Opens a reader of a query's rows. Offsets are row numbers.
 *
 * @throws MillraceError `source` if the stored position has another order than the query.
 */
async function openQueryReader(pages: QueryPages, query: Query, task: QueryTask): Promise<SourceReader> {
  const { sourceState } = task;
  if (sourceState !== undefined && sourceState.orderBy.join() !== query.orderBy.join()) {
    throw new MillraceError(
      'source',
      `the checkpoint has a position in the order of ${sourceState.orderBy.join(', ')}`,
      {
        where: query.name,
        hint: `the query is ordered by ${query.orderBy.join(', ')}: order it as before, or give the source another id`,
        permanent: true,
      },
    );
  }
  const bound = sourceState?.bound ?? (await pages.last());
  return new QueryReader(pages, query, task, bound);
}

/** Memory: a page, and the positions of the rows since the last checkpoint. */
class QueryReader implements SourceReader {
  private readonly closing = new AbortController();
  /** The current page, and the number of its rows that were returned. */
  private rows: readonly Row[] = [];
  private head = 0;
  /** The row after which the next page begins. */
  private after: Cursor | undefined;
  private next: number;
  /** Rows to skip, if only their number is known. */
  private skip: number;
  private lookAtMs: number;
  private atBound = false;
  /** Positions of returned rows: of the row before `first`, and of those from there. */
  private before: Cursor | undefined;
  private first: number;
  private given: Cursor[] = [];

  constructor(
    private readonly pages: QueryPages,
    private readonly query: Query,
    private readonly task: QueryTask,
    private bound: Cursor | undefined,
  ) {
    const { offset, sourceState } = task;
    this.next = Math.max(0, offset); // `EARLIEST` is negative
    this.first = this.next;
    this.skip = sourceState === undefined ? this.next : 0;
    this.after = sourceState?.after ?? undefined;
    this.before = this.after;
    this.lookAtMs = performance.now() + (query.everyMs ?? 0);
  }

  get isBehind(): boolean {
    return !this.atBound;
  }

  async poll(recordsMax: number, bytesMax = Number.POSITIVE_INFINITY): Promise<Polled> {
    while (!this.closing.signal.aborted) {
      if (this.head < this.rows.length) return { records: this.take(recordsMax, bytesMax), ended: false };
      if (await this.readPage()) continue;
      this.atBound = true;
      if (this.task.bounded || this.query.everyMs === undefined) break;
      if (!(await this.lookFurther())) return { records: [], ended: this.closing.signal.aborted };
    }
    return { records: [], ended: true };
  }

  sourceStateOf(offset: number): QuerySourceState {
    const passed = Math.min(offset - this.first, this.given.length);
    if (passed > 0) {
      this.before = this.given[passed - 1];
      this.given = this.given.slice(passed);
      this.first += passed;
    }
    return { orderBy: this.query.orderBy, after: this.before ?? null, bound: this.bound ?? null };
  }

  async close(): Promise<void> {
    this.closing.abort();
    this.rows = [];
  }

  private take(recordsMax: number, bytesMax: number): RawRecord[] {
    const rows = sliceOfPoll(this.rows, this.head, recordsMax, bytesMax, ({ json }) => json.length);
    this.head += rows.length;
    const timestampMs = Date.now();
    return rows.map(({ json, cursor, key }) => {
      this.given.push(cursor);
      return {
        offset: this.next++,
        timestampMs,
        key: key === null ? null : Buffer.from(key),
        value: Buffer.from(json),
      };
    });
  }

  /** Reads the next page; resolves with whether there was one. */
  private async readPage(): Promise<boolean> {
    if (this.bound === undefined) return false;
    const rows = await this.pages.page(this.after, this.bound);
    const last = rows.at(-1);
    if (last === undefined) return false;
    this.after = last.cursor;
    const passed = Math.min(this.skip, rows.length);
    this.skip -= passed;
    if (passed > 0) this.before = rows[passed - 1]?.cursor;
    this.rows = rows;
    this.head = passed;
    return true;
  }

  /** Moves the bound if it is time and there are more rows; otherwise waits a little. */
  private async lookFurther(): Promise<boolean> {
    const waitMs = this.lookAtMs - performance.now();
    if (waitMs > 0) {
      await pause(Math.min(waitMs, POLL_WAIT_MS), this.closing.signal);
      return false;
    }
    this.lookAtMs = performance.now() + (this.query.everyMs ?? 0);
    const last = await this.pages.last();
    if (last === undefined || last.join() === this.bound?.join()) return false;
    this.bound = last;
    return true;
  }
}

/** The driver of `clickhouse.querySource`: one task reads. Temporary failures are retried. */
export function querySource(engine: Engine, retrying: RetryOptions): SourceDriver {
  const patient: Engine = {
    ...engine,
    async query(sql, params, signal) {
      try {
        return await retry(() => engine.query(sql, params, signal), retrying);
      } catch (error) {
        throw explain(error, 'cannot read the query', engine.where, 'source');
      }
    },
  };
  return {
    partitions: async () => 1,
    async open({ options }, { offset, bounded, sourceState }) {
      const query = options as Query;
      const pages = await QueryPages.open(patient, query);
      return openQueryReader(pages, query, {
        bounded,
        offset,
        sourceState: sourceState as QuerySourceState | undefined,
      });
    },
  };
}
