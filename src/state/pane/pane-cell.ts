import { assert, type BucketChange, type Cell, type CellSpec } from '../../core/index.js';
import { decode, encode, tags, unreadable } from '../codec.js';
import { migrationFor } from '../versions.js';
import { OnePane, type Pane } from './pane.js';
import { PaneLog } from './pane-log.js';

/**
 * Accumulators by pane of time and key. Panes are dropped whole, the earliest first. Within a pane, entries keep the order in which
 * their keys first came.
 */
export interface PaneCell<K extends string | number> extends Cell {
  /** The existing panes, the earliest first. */
  readonly panes: readonly Pane<K>[];
  at(startMs: number): Pane<K> | undefined;
  /** The pane of a start, created if missing; it must not begin before dropped panes. */
  open(startMs: number): Pane<K>;
  /** Drops every pane that begins before a time, permanently. */
  dropBefore(startMs: number): void;
}

export interface PaneCellOptions {
  /** Version of the layout. */
  readonly version: number;
  /** Numbers per entry. */
  readonly numbers: number;
  /** Values per entry, which must be plain data. */
  readonly values: number;
}

/** The bucket with the time before which panes were dropped; those of the log count from 1. */
const HEAD = 0;

/**
 * Declares accumulators of windows: numbers in typed arrays, values in arrays, one entry per key in each pane.
 *
 * A change appends the changed entries as a chunk. Old chunks are cleaned as new ones are added, so the log is at most about twice
 * the state, and in the long run two to three entries are written per changed entry. Dropping a pane costs one small write. A
 * restore decodes at the first access.
 *
 * @example
 * const cells = { panes: paneCell<string>({ version: 1, numbers: 1, values: 0 }) };
 * // in onRecord: const pane = panes.open(startMs); const found = pane.find(key); const slot = found < 0 ? pane.add(key) : found;
 * // pane.numbers[slot]++; pane.touch(slot);
 *
 * Errors: `state` for a checkpoint of another version or that cannot be read. Memory: about 80 bytes per entry, 8 per number, and
 * the key; changelog: the key and 5 to 15 bytes per number.
 */
export function paneCell<K extends string | number>(options: PaneCellOptions): CellSpec<PaneCell<K>> {
  const { version } = options;
  return { kind: 'panes', version, tags: [tags.panes, tags.panesHead], open: () => new Panes<K>(options) };
}

class Panes<K extends string | number> implements PaneCell<K> {
  private readonly list: OnePane<K>[] = [];
  private readonly byStart = new Map<number, OnePane<K>>();
  private readonly log: PaneLog<K>;
  private droppedBeforeMs = Number.NEGATIVE_INFINITY;
  private headChanged = false;
  private frozen: { readonly bucket: number; readonly bytes: Uint8Array }[] = [];

  constructor(private readonly options: PaneCellOptions) {
    this.log = new PaneLog<K>(options.numbers, options.values);
  }

  get panes(): readonly Pane<K>[] {
    this.thaw();
    return this.list;
  }

  at(startMs: number): Pane<K> | undefined {
    this.thaw();
    return this.byStart.get(startMs);
  }

  open(startMs: number): Pane<K> {
    this.thaw();
    return this.byStart.get(startMs) ?? this.make(startMs);
  }

  dropBefore(startMs: number): void {
    this.thaw();
    if (startMs <= this.droppedBeforeMs) return;
    let gone = 0;
    while (gone < this.list.length && (this.list[gone] as OnePane<K>).startMs < startMs) gone++;
    if (gone === 0) return; // nothing changed
    this.droppedBeforeMs = startMs;
    this.headChanged = true;
    for (const pane of this.list.splice(0, gone)) {
      this.byStart.delete(pane.startMs);
      this.log.forget(pane);
    }
  }

  spread(cellOf: (key: string | number) => Panes<K>): void {
    this.thaw();
    const { numbers, values } = this.options;
    for (const pane of this.list)
      for (let slot = 0; slot < pane.size; slot++) {
        const key = pane.keyAt(slot);
        const to = cellOf(key).open(pane.startMs);
        const at = to.add(key);
        for (let i = 0; i < numbers; i++) to.numbers[at * numbers + i] = pane.numbers[slot * numbers + i] as number;
        for (let i = 0; i < values; i++) to.values[at * values + i] = pane.values[slot * values + i];
        to.touch(at);
      }
  }

  restore(bucket: number, bytes: Uint8Array, version: number): void {
    migrationFor(version, this.options.version, undefined);
    this.frozen.push({ bucket, bytes });
  }

  takeChanges(): BucketChange[] {
    const changes = this.log.take(this.list);
    if (this.headChanged) changes.push({ bucket: HEAD, bytes: encode(tags.panesHead, this.droppedBeforeMs) });
    this.headChanged = false;
    return changes;
  }

  private make(startMs: number): OnePane<K> {
    assert(startMs >= this.droppedBeforeMs, 'a pane is opened again after it was dropped');
    const pane = new OnePane<K>(startMs, this.options.numbers, this.options.values);
    let place = this.list.length;
    while (place > 0 && (this.list[place - 1] as OnePane<K>).startMs > startMs) place--;
    this.list.splice(place, 0, pane);
    this.byStart.set(startMs, pane);
    return pane;
  }

  private thaw(): void {
    if (this.frozen.length === 0) return;
    const frozen = this.frozen.sort((a, b) => a.bucket - b.bucket);
    this.frozen = [];
    for (const { bucket, bytes } of frozen)
      if (bucket === HEAD) this.droppedBeforeMs = decode(tags.panesHead, bytes) as number;
      else
        this.log.read(bucket, bytes, (startMs) =>
          startMs < this.droppedBeforeMs ? undefined : (this.byStart.get(startMs) ?? this.make(startMs)),
        );
    for (const pane of this.list) if (!pane.index()) throw unreadable('a pane without some of its entries');
  }
}
