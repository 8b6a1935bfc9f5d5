import type { Accumulator } from '../../../aggregates/accumulator.js';
import type { MapCell } from '../../../state/index.js';
import { type EmitResult, type Outcome, type Row, timeOf, type WindowEngine, type WindowKey } from './engine.js';

/** The records of a key that are not enough yet: how many, their first and last event time, their accumulator. */
export type Unfinished = [records: number, firstMs: number, lastMs: number, numbers: number[], values: unknown[]];

export interface CountingParts<In> {
  readonly records: number;
  readonly accumulator: Accumulator<In>;
  readonly unfinished: MapCell<WindowKey, Unfinished>;
  readonly keysMax: number;
}

/** Windows of so many records of a key, in the order in which they come; emitted with the last of them. */
export class CountingWindows<In> implements WindowEngine<In> {
  constructor(private readonly parts: CountingParts<In>) {}

  add(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome {
    const { accumulator, unfinished, records, keysMax } = this.parts;
    let held = unfinished.get(key);
    if (!held) {
      if (unfinished.size >= keysMax) return 'too-many-keys';
      held = [0, timeMs, timeMs, [], []];
      accumulator.init(held[3], 0, held[4], 0);
    }
    held[0]++;
    held[1] = Math.min(held[1], timeMs);
    held[2] = Math.max(held[2], timeMs);
    accumulator.add(held[3], 0, held[4], 0, value, timeMs);
    if (held[0] < records) {
      unfinished.set(key, held);
      return 'taken';
    }
    unfinished.delete(key);
    emit(this.rowOf(key, held), timeOf(held[2] + 1));
    return 'taken';
  }

  retract(): Outcome {
    return 'unmatched'; // refused where it is declared
  }

  advance(): void {}

  query(key: WindowKey): readonly Row[] {
    const held = this.parts.unfinished.get(key);
    return held ? [this.rowOf(key, held)] : [];
  }

  private rowOf(key: WindowKey, [, firstMs, lastMs, numbers, values]: Unfinished): Row {
    const row: Row = { key, startMs: firstMs, endMs: lastMs + 1 };
    this.parts.accumulator.results(row, numbers, 0, values, 0);
    return row;
  }
}
