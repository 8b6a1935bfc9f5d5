import { assert } from '../../../src/core/errors.js';
import type { Change, Origin } from '../../../src/core/record.js';
import type { SinkWriter } from '../../../src/core/sink.js';
import { quotedText } from '../values/index.js';
import type { Batches } from './batches.js';
import type { UpsertTableOptions } from './options.js';
import { RowEncoder } from './rows.js';

/** The bits of a version that count the changes of a task; the incarnation is above them. */
const NUMBER_BITS = 44;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Writes each change as a row that replaces the earlier rows of its key; a deletion is a row that is marked as one. If a change
 * moves a row in the sorting key, a deletion is written at its old position.
 *
 * The version of a row is the incarnation and the number of the change among those of its task, so an insert may be repeated and
 * may arrive after later ones. All rows are in the table when `prepare` resolves.
 */
export class UpsertWriter implements SinkWriter {
  private readonly rows: RowEncoder;
  private readonly base: bigint;

  constructor(
    private readonly options: UpsertTableOptions,
    private readonly batches: Batches,
    incarnation: number,
  ) {
    assert(incarnation < 2 ** (64 - NUMBER_BITS), `incarnation ${incarnation} does not fit into a version`);
    this.base = BigInt(incarnation) << BigInt(NUMBER_BITS);
    const { [options.key]: _, ...columns } = options.columns;
    this.rows = new RowEncoder(columns);
  }

  unrepresentable(value: unknown): string | undefined {
    const { key, after } = value as Change<Fields>;
    if (!key.isWellFormed()) return `column ${this.options.key} (String) has no room for half a surrogate pair`;
    return after === null ? undefined : this.rows.unrepresentable(after);
  }

  write(values: readonly unknown[], origins: readonly Origin[]): void | Promise<void> {
    for (let i = 0; i < values.length; i++) {
      const { key, before, after } = values[i] as Change<Fields>;
      const version = this.base + BigInt((origins[i] as Origin).offset);
      // A value that could not be stored was never written, so there is nothing to delete.
      const there = before !== null && this.rows.unrepresentable(before) === undefined ? before : null;
      if (there !== null && (after === null || this.moves(there, after))) this.add(key, there, version, 1);
      if (after !== null) this.add(key, after, version, 0);
    }
    return this.batches.pressure();
  }

  prepare(): Promise<void> {
    return this.batches.flush();
  }

  close(): Promise<void> {
    return this.batches.close();
  }

  private moves(before: Fields, after: Fields): boolean {
    const { orderBy, key } = this.options;
    return orderBy.some(
      (name) =>
        name !== key && this.rows.encodeColumn(name, before[name]) !== this.rows.encodeColumn(name, after[name]),
    );
  }

  private add(key: string, value: Fields, version: bigint, deleted: 0 | 1): void {
    this.batches.add(`[${this.rows.encode(value)}${quotedText(key)},${version},${deleted}]`);
  }
}
