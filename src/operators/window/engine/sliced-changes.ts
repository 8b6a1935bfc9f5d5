import type { MapCell, TimerCell } from '../../../state/index.js';
import {
  changeKey,
  type EmitResult,
  type Outcome,
  type Row,
  timeOf,
  type WindowEngine,
  type WindowKey,
} from './engine.js';
import { KeyPanes, type SlicedParts } from './key-panes.js';
import { endOf, firstWindow, lastWindow, sliceAt, startOf } from './slices.js';

/** What was last said of a key's window, and whether it has changed since. */
type Told = [key: WindowKey, window: number, row: Row | null, changed: boolean];

/** What `early` keeps besides the slices. */
export interface EarlyParts {
  readonly everyMs: number;
  readonly told: MapCell<string, Told>;
  /** When something is to be said of a window, or it is to be forgotten. */
  readonly due: TimerCell<string>;
}

export interface SlicedChangesParts<In> extends SlicedParts<In> {
  readonly latenessMs: number;
  readonly watermarkMs: number;
  /** Without it every record is told at once. */
  readonly early: EarlyParts | undefined;
}

/** Tumbling and hopping windows that emit changes: at once, or early, at their end and with every correction. */
export class SlicedChanges<In> implements WindowEngine<In> {
  private readonly keyed: KeyPanes<In>;
  private watermarkMs: number;

  constructor(private readonly parts: SlicedChangesParts<In>) {
    this.keyed = new KeyPanes(parts);
    this.watermarkMs = parts.watermarkMs;
  }

  add(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome {
    return this.update(key, timeMs, emit, () => this.keyed.add(key, value, timeMs));
  }

  retract(key: WindowKey, value: In, timeMs: number, emit: EmitResult): Outcome {
    return this.update(key, timeMs, emit, () => this.keyed.retract(key, value, timeMs));
  }

  advance(watermarkMs: number, emit: EmitResult): void {
    const { slices, closed, latenessMs, early } = this.parts;
    this.watermarkMs = watermarkMs;
    early?.due.takeDue(watermarkMs, (id, timeMs) => this.fire(early, id, timeMs, emit));
    closed.set(Math.max(closed.get(), watermarkMs - latenessMs));
    const { earliest } = this.keyed;
    if (earliest && this.keyed.openFrom() > sliceAt(slices, earliest.startMs))
      this.keyed.dropBefore(startOf(slices, this.keyed.openFrom()));
  }

  query(key: WindowKey): readonly Row[] {
    return this.keyed.openRows(key);
  }

  private update(key: WindowKey, timeMs: number, emit: EmitResult, change: () => Outcome): Outcome {
    const { slices, early } = this.parts;
    const slice = sliceAt(slices, timeMs);
    const earliest = firstWindow(slices, slice);
    const first = Math.max(earliest, this.keyed.openFrom());
    const last = lastWindow(slices, slice);
    if (last < first) return 'late';
    const before: (Row | null)[] = [];
    if (!early)
      for (let window = first; window <= last; window += slices.step) before.push(this.keyed.rowOf(window, key));
    const outcome = change();
    if (outcome !== 'taken') return outcome;
    for (let window = first, i = 0; window <= last; window += slices.step, i++)
      if (early) this.note(early, key, window, emit);
      else this.tell(key, window, before[i] ?? null, this.keyed.rowOf(window, key), emit);
    return earliest < first ? 'partly-late' : outcome;
  }

  /** A window has changed: to be told of early or at its end; at once where that is over. */
  private note(early: EarlyParts, key: WindowKey, window: number, emit: EmitResult): void {
    const { slices, latenessMs } = this.parts;
    const { told, due, everyMs } = early;
    const id = idOf(key, window);
    const entry = told.get(id) ?? [key, window, null, false];
    const endMs = endOf(slices, window);
    if (!told.has(id)) due.add(endMs + latenessMs, id);
    if (endMs <= this.watermarkMs) {
      this.tellOf(entry, emit);
    } else if (!entry[3]) {
      entry[3] = true;
      const fromMs = Math.max(this.watermarkMs, startOf(slices, window));
      due.add(Math.min(endMs, (Math.floor(fromMs / everyMs) + 1) * everyMs), id);
    }
    told.set(id, entry);
  }

  private fire({ told }: EarlyParts, id: string, timeMs: number, emit: EmitResult): void {
    const entry = told.get(id);
    if (!entry) return;
    if (entry[3]) this.tellOf(entry, emit);
    entry[3] = false;
    const overMs = endOf(this.parts.slices, entry[1]) + this.parts.latenessMs;
    if (timeMs >= overMs) told.delete(id);
    else told.set(id, entry);
  }

  private tellOf(entry: Told, emit: EmitResult): void {
    const [key, window, before] = entry;
    const after = this.keyed.rowOf(window, key);
    this.tell(key, window, before, after, emit);
    entry[2] = after;
  }

  private tell(key: WindowKey, window: number, before: Row | null, after: Row | null, emit: EmitResult): void {
    if (before === null && after === null) return;
    const { slices } = this.parts;
    emit({ key: changeKey(key, startOf(slices, window)), before, after }, timeOf(endOf(slices, window)));
  }
}

/** Tells the number 1 from the string '1'. */
const idOf = (key: WindowKey, window: number): string => `${typeof key === 'number' ? '#' : '$'}${window}/${key}`;
