import { type EmitResult, type Outcome, type Row, timeOf, type WindowEngine, type WindowKey } from './engine.js';
import { HoppingResults, type Visit } from './hopping-results.js';
import { KeyPanes, rowAt, type SlicedParts } from './key-panes.js';
import { endOf, firstWindow, sliceAt, startOf } from './slices.js';

export interface SlicedRowsParts<In> extends SlicedParts<In> {
  readonly latenessMs: number;
}

/** Tumbling and hopping windows of which each emits one row, when it can change no more. */
export class SlicedRows<In> implements WindowEngine<In> {
  private readonly keyed: KeyPanes<In>;
  private readonly shared: HoppingResults<In> | undefined;
  /** Records before this time are late for every window; those before the other are for some. */
  private openFromMs = Number.NaN;
  private wholeFromMs = Number.NaN;
  /** The next window to close, where it ends (NaN where that must be found out), and the earliest slice it was found by. */
  private next = 0;
  private nextMs = Number.NaN;
  private earliestMs = Number.NaN;

  constructor(private readonly parts: SlicedRowsParts<In>) {
    const { slices, accumulator, panes } = parts;
    this.keyed = new KeyPanes(parts);
    this.shared = slices.perWindow > 1 ? new HoppingResults(slices, accumulator, panes) : undefined;
  }

  add(key: WindowKey, value: In, timeMs: number): Outcome {
    if (this.isLate(timeMs)) return 'late';
    this.noteChange(timeMs);
    return this.partly(timeMs, this.keyed.add(key, value, timeMs));
  }

  retract(key: WindowKey, value: In, timeMs: number): Outcome {
    if (this.isLate(timeMs)) return 'late';
    this.noteChange(timeMs);
    return this.partly(timeMs, this.keyed.retract(key, value, timeMs));
  }

  advance(watermarkMs: number, emit: EmitResult): void {
    const { slices, closed, latenessMs } = this.parts;
    const closedMs = Math.max(closed.get(), watermarkMs - latenessMs);
    if (Number.isNaN(this.nextMs)) this.findNext();
    while (this.nextMs <= closedMs) {
      const { nextMs } = this;
      this.close(this.next, emit);
      closed.set(nextMs);
      this.keyed.dropBefore(startOf(slices, this.next + slices.step));
      this.findNext();
      if (this.nextMs <= nextMs) break; // windows so short that numbers cannot tell their ends apart
    }
    closed.set(closedMs);
    this.openFromMs = Number.NaN;
  }

  query(key: WindowKey): readonly Row[] {
    return this.keyed.openRows(key);
  }

  private isLate(timeMs: number): boolean {
    if (Number.isNaN(this.openFromMs)) {
      const { slices } = this.parts;
      const open = this.keyed.openFrom();
      this.openFromMs = startOf(slices, open);
      this.wholeFromMs = endOf(slices, open - slices.step);
    }
    return timeMs < this.openFromMs;
  }

  private partly(timeMs: number, outcome: Outcome): Outcome {
    return timeMs < this.wholeFromMs && outcome === 'taken' ? 'partly-late' : outcome;
  }

  private noteChange(timeMs: number): void {
    const { slices } = this.parts;
    if (this.shared) this.shared.changed(sliceAt(slices, timeMs));
    if (timeMs < this.earliestMs) this.nextMs = Number.NaN;
  }

  /** The earliest window that is open and holds something. */
  private findNext(): void {
    const { slices, closed } = this.parts;
    const pane = this.keyed.earliest;
    this.earliestMs = pane ? pane.startMs : Number.POSITIVE_INFINITY;
    if (!pane) {
      this.nextMs = Number.POSITIVE_INFINITY;
      return;
    }
    const open = firstWindow(slices, sliceAt(slices, closed.get()));
    this.next = Math.max(open, firstWindow(slices, sliceAt(slices, pane.startMs)));
    this.nextMs = endOf(slices, this.next);
  }

  private close(window: number, emit: EmitResult): void {
    const { accumulator, slices } = this.parts;
    const eventTimeMs = timeOf(endOf(slices, window));
    this.visit(window, (key, numbers, values, place) => {
      if (!accumulator.isEmpty(numbers, place * accumulator.numbers))
        emit(rowAt(this.parts, window, key, numbers, values, place), eventTimeMs);
    });
  }

  private visit(window: number, visit: Visit): void {
    if (this.shared) {
      this.shared.visit(window, visit);
      return;
    }
    const { slices, panes } = this.parts;
    const pane = panes.at(startOf(slices, window));
    if (pane) for (let slot = 0; slot < pane.size; slot++) visit(pane.keyAt(slot), pane.numbers, pane.values, slot);
  }
}
