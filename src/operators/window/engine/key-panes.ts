import type { Accumulator } from '../../../aggregates/accumulator.js';
import type { Pane, PaneCell, ValueCell } from '../../../state/index.js';
import { Columns } from './columns.js';
import type { Outcome, Row, WindowKey } from './engine.js';
import { endOf, firstWindow, lastWindow, type Slices, sliceAt, startOf } from './slices.js';

export interface SlicedParts<In> {
  readonly slices: Slices;
  readonly accumulator: Accumulator<In>;
  readonly panes: PaneCell<WindowKey>;
  /** Keys of a slice at most. */
  readonly keysMax: number;
  /** Windows that end at this time or before have been closed. */
  readonly closed: ValueCell<number>;
  /**
   * Those that end here or before were over when the step was opened. `closed` may trail it: a new step has closed none, and
   * tasks that were made of others only those that all of them had closed.
   */
  readonly overMs: number;
  /**
   * How many slices ahead of those that are over a record may always open one; there may be as many further ahead:
   * records with absurd times would open one each, and the watermark never comes there.
   */
  readonly slicesMax: number;
}

/** Slices as panes: adds to them, takes back from them, and reads one key's window over them. */
export class KeyPanes<In> {
  /** The pane of the last record: most records are in the same one. */
  private last: Pane<WindowKey> | undefined;
  private lastEndMs = Number.NEGATIVE_INFINITY;
  private readonly scratch: Columns<In>;

  constructor(private readonly parts: SlicedParts<In>) {
    this.scratch = new Columns(parts.accumulator);
  }

  get earliest(): Pane<WindowKey> | undefined {
    return this.parts.panes.panes[0];
  }

  add(key: WindowKey, value: In, timeMs: number): Outcome {
    const { accumulator, keysMax } = this.parts;
    const pane = this.paneAt(timeMs);
    if (!pane) return 'too-many-windows';
    const { numbers, values } = accumulator;
    let slot = pane.find(key);
    if (slot < 0) {
      if (pane.size >= keysMax) return 'too-many-keys';
      slot = pane.add(key);
      accumulator.init(pane.numbers, slot * numbers, pane.values, slot * values);
    }
    accumulator.add(pane.numbers, slot * numbers, pane.values, slot * values, value, timeMs);
    pane.touch(slot);
    return 'taken';
  }

  retract(key: WindowKey, value: In, timeMs: number): Outcome {
    const { slices, accumulator, panes } = this.parts;
    const pane = panes.at(startOf(slices, sliceAt(slices, timeMs)));
    const slot = pane ? pane.find(key) : -1;
    if (!pane || slot < 0) return 'unmatched';
    const { numbers, values } = accumulator;
    if (accumulator.isEmpty(pane.numbers, slot * numbers)) return 'unmatched';
    accumulator.retract(pane.numbers, slot * numbers, pane.values, slot * values, value, timeMs);
    // What rounding or an infinity left in it must not reach the next value.
    if (accumulator.isEmpty(pane.numbers, slot * numbers))
      accumulator.init(pane.numbers, slot * numbers, pane.values, slot * values);
    pane.touch(slot);
    return 'taken';
  }

  dropBefore(startMs: number): void {
    this.parts.panes.dropBefore(startMs);
    this.last = undefined;
    this.lastEndMs = Number.NEGATIVE_INFINITY;
  }

  /** The earliest window that may still change: it begins with the earliest slice that is needed. */
  openFrom(): number {
    const { slices } = this.parts;
    return firstWindow(slices, sliceAt(slices, this.overMs()));
  }

  /** What the windows of a key hold that may still change. */
  openRows(key: WindowKey): readonly Row[] {
    const { slices, panes } = this.parts;
    const rows: Row[] = [];
    let window = this.openFrom();
    for (const { startMs } of panes.panes) {
      const slice = sliceAt(slices, startMs);
      window = Math.max(window, firstWindow(slices, slice));
      for (; window <= lastWindow(slices, slice); window += slices.step) {
        const row = this.rowOf(window, key);
        if (row) rows.push(row);
      }
    }
    return rows;
  }

  /** What a key's window holds; `null` where it holds nothing. */
  rowOf(window: number, key: WindowKey): Row | null {
    const { slices, accumulator, panes } = this.parts;
    const { scratch } = this;
    scratch.clear();
    for (let slice = window; slice < window + slices.perWindow; slice++) {
      const pane = panes.at(startOf(slices, slice));
      if (!pane) continue;
      const slot = pane.find(key);
      if (slot < 0) continue;
      if (scratch.size === 0) scratch.add();
      scratch.merge(0, pane, slot);
    }
    if (scratch.size === 0 || accumulator.isEmpty(scratch.numbers, 0)) return null;
    return rowAt(this.parts, window, key, scratch.numbers, scratch.values, 0);
  }

  private overMs(): number {
    return Math.max(this.parts.closed.get(), this.parts.overMs);
  }

  private paneAt(timeMs: number): Pane<WindowKey> | undefined {
    if (this.last && timeMs < this.lastEndMs && timeMs >= this.last.startMs) return this.last;
    const { slices, panes, slicesMax } = this.parts;
    const startMs = startOf(slices, sliceAt(slices, timeMs));
    const isFar = startMs - this.overMs() > slicesMax * slices.sliceMs;
    if (isFar && panes.panes.length >= slicesMax && !panes.at(startMs)) return undefined;
    this.last = panes.open(startMs);
    this.lastEndMs = startMs + slices.sliceMs;
    return this.last;
  }
}

/** The row of an accumulator. */
export function rowAt<In>(
  { slices, accumulator }: Pick<SlicedParts<In>, 'slices' | 'accumulator'>,
  window: number,
  key: WindowKey,
  numbers: Float64Array,
  values: readonly unknown[],
  place: number,
): Row {
  const row: Row = { key, startMs: startOf(slices, window), endMs: endOf(slices, window) };
  accumulator.results(row, numbers, place * accumulator.numbers, values, place * accumulator.values);
  return row;
}
