import type { Accumulator } from '../../../aggregates/accumulator.js';
import type { MapCell, TimerCell } from '../../../state/index.js';
import { type EmitResult, type Outcome, type Row, timeOf, type WindowEngine, type WindowKey } from './engine.js';

/** What a key did at one millisecond, and whether a result for it is still to come. */
export type Moment = [timeMs: number, numbers: number[], values: unknown[], open: boolean];

export interface SlidingParts<In> {
  readonly sizeMs: number;
  readonly accumulator: Accumulator<In>;
  /** Those of a key, by time. */
  readonly moments: MapCell<WindowKey, Moment[]>;
  /** A timer a moment: when its window ends, then when it is in no window any more. */
  readonly due: TimerCell<WindowKey>;
  readonly keysMax: number;
  readonly latenessMs: number;
  readonly watermarkMs: number;
}

/** Moments of a key at most: all of them are read for a result. */
const MOMENTS_MAX = 100_000;

/** A window behind each record, one row for each millisecond of a key: `size` before it, itself included. */
export class SlidingWindows<In> implements WindowEngine<In> {
  /** Every window that ends here or before is closed. */
  private closedMs: number;

  constructor(private readonly parts: SlidingParts<In>) {
    this.closedMs = parts.watermarkMs - parts.latenessMs;
  }

  add(key: WindowKey, value: In, timeMs: number): Outcome {
    const { accumulator, moments, sizeMs, keysMax } = this.parts;
    // Its own window ends a millisecond after it; the last one that it is in begins with it.
    if (timeMs + sizeMs <= this.closedMs) return 'late';
    const held = moments.get(key) ?? [];
    if (held.length === 0 && moments.size >= keysMax) return 'too-many-keys';
    let place = held.length;
    while (place > 0 && (held[place - 1] as Moment)[0] >= timeMs) place--;
    let moment = held[place];
    if (moment?.[0] !== timeMs) {
      if (held.length >= MOMENTS_MAX) return 'too-many-windows';
      moment = [timeMs, [], [], timeMs + 1 > this.closedMs];
      accumulator.init(moment[1], 0, moment[2], 0);
      held.splice(place, 0, moment);
      this.wake(key, moment);
    }
    accumulator.add(moment[1], 0, moment[2], 0, value, timeMs);
    moments.set(key, held);
    return moment[3] ? 'taken' : 'partly-late';
  }

  retract(): Outcome {
    return 'unmatched'; // refused where it is declared
  }

  advance(watermarkMs: number, emit: EmitResult): void {
    const { moments, due, latenessMs, sizeMs } = this.parts;
    due.takeDue(watermarkMs - latenessMs, (key, nowMs) => {
      const held = moments.get(key);
      if (!held) return;
      for (const moment of held) {
        if (!moment[3] || moment[0] + 1 > nowMs) continue;
        emit(this.rowOf(key, held, moment[0]), timeOf(moment[0] + 1));
        moment[3] = false;
        this.wake(key, moment);
      }
      const kept = held.filter(([timeMs]) => timeMs + sizeMs > nowMs);
      if (kept.length === 0) moments.delete(key);
      else moments.set(key, kept);
    });
    this.closedMs = Math.max(this.closedMs, watermarkMs - latenessMs);
  }

  query(key: WindowKey): readonly Row[] {
    const held = this.parts.moments.get(key) ?? [];
    return held.filter(([, , , open]) => open).map(([timeMs]) => this.rowOf(key, held, timeMs));
  }

  private wake(key: WindowKey, [timeMs, , , open]: Moment): void {
    this.parts.due.add(open ? timeMs + 1 : timeMs + this.parts.sizeMs, key);
  }

  private rowOf(key: WindowKey, held: readonly Moment[], timeMs: number): Row {
    const { accumulator, sizeMs } = this.parts;
    const numbers: number[] = [];
    const values: unknown[] = [];
    accumulator.init(numbers, 0, values, 0);
    for (const [at, ofNumbers, ofValues] of held)
      if (at <= timeMs && at > timeMs - sizeMs) accumulator.merge(numbers, 0, values, 0, ofNumbers, 0, ofValues, 0);
    const row: Row = { key, startMs: timeMs + 1 - sizeMs, endMs: timeMs + 1 };
    accumulator.results(row, numbers, 0, values, 0);
    return row;
  }
}
