import type { Float64Cell } from '../../state/index.js';
import { betweenProblems, type DriftDetector, detector } from './detector.js';

/** Of a window: its numbers, their sum, their sum of squared deviations, numbers added so far, rows of buckets in use. */
const WIDTH = 0;
const TOTAL = 1;
const DEVIATIONS = 2;
const ADDED = 3;
const ROWS = 4;
const HEAD = 5;
/** A row has so many buckets before two are merged into one of the next row; a bucket of row r holds 2^r numbers. */
const BUCKETS = 5;
const BUCKET = 2;
const ROW = 1 + (BUCKETS + 1) * BUCKET;
const ROWS_MAX = 24;

/** Changes are looked for each 32 numbers, in windows of more than 10, between parts of 5 or more. */
const CLOCK = 32;
const WIDTH_MIN = 10;
const PART_MIN = 5;

/** Numbers of the state of one window. */
export const ADWIN_SIZE = HEAD + ROWS_MAX * ROW;

/**
 * Adaptive windowing (ADWIN): keeps a window of the newest numbers as an exponential histogram, and drops its older part as soon as
 * the means of two parts differ by more than chance explains with probability `delta`. A cell holds many windows, each at a place.
 *
 * Memory: `ADWIN_SIZE` numbers a window. A window has at most 80 million numbers; then its oldest bucket is dropped.
 * Source: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007; the cut as in MOA and River.
 */
export class Adwin {
  constructor(
    private readonly cell: Pick<Float64Cell, 'values' | 'touch'>,
    private readonly delta: number,
  ) {}

  /** The mean of a window; 0 without numbers. */
  mean(at: number): number {
    const width = this.get(at + WIDTH);
    return width > 0 ? this.get(at + TOTAL) / width : 0;
  }

  /** Adds a number to a window and says whether its mean had changed. */
  add(at: number, x: number): boolean {
    const { values } = this.cell;
    const width = values[at + WIDTH] as number;
    const total = values[at + TOTAL] as number;
    if (width > 0) {
      const off = x - total / width;
      values[at + DEVIATIONS] = (values[at + DEVIATIONS] as number) + (off * off * width) / (width + 1);
    } else values[at + ROWS] = 1;
    values[at + WIDTH] = width + 1;
    values[at + TOTAL] = total + x;
    const added = (values[at + ADDED] as number) + 1;
    values[at + ADDED] = added;
    this.touch(at, HEAD);
    this.push(at, 0, x, 0);
    this.compress(at);
    return added % CLOCK === 0 && this.shrink(at);
  }

  /** Empties a window. */
  clear(at: number): void {
    for (let i = 0; i < ADWIN_SIZE; i++) this.set(at + i, 0);
  }

  private push(at: number, row: number, total: number, deviations: number): void {
    const { values } = this.cell;
    const from = at + HEAD + row * ROW;
    const buckets = values[from] as number;
    values[from] = buckets + 1;
    values[from + 1 + buckets * BUCKET] = total;
    values[from + 2 + buckets * BUCKET] = deviations;
    this.touch(from, ROW);
  }

  /** Removes the oldest buckets of a row. */
  private shift(at: number, row: number, count: number): void {
    const { values } = this.cell;
    const from = at + HEAD + row * ROW;
    const left = (values[from] as number) - count;
    values[from] = left;
    const end = from + 1 + left * BUCKET;
    for (let i = from + 1; i < end; i++) values[i] = values[i + count * BUCKET] as number;
    for (let i = end; i < end + count * BUCKET; i++) values[i] = 0;
    this.touch(from, ROW);
  }

  /** Merges the two oldest buckets of each row that has one too many. */
  private compress(at: number): void {
    for (let row = 0, size = 1; this.get(at + HEAD + row * ROW) > BUCKETS; row++, size *= 2) {
      if (row === ROWS_MAX - 1) {
        this.dropOldest(at);
        return;
      }
      const from = at + HEAD + row * ROW + 1;
      const first = this.get(from);
      const second = this.get(from + BUCKET);
      const between = (first - second) ** 2 / (2 * size);
      const deviations = this.get(from + 1) + this.get(from + BUCKET + 1) + between;
      if (row + 1 === this.get(at + ROWS)) this.set(at + ROWS, row + 2);
      this.push(at, row + 1, first + second, deviations);
      this.shift(at, row, 2);
    }
  }

  /** Removes the oldest bucket and returns how many numbers it held. */
  private dropOldest(at: number): number {
    const row = this.get(at + ROWS) - 1;
    const size = 2 ** row;
    const from = at + HEAD + row * ROW + 1;
    const total = this.get(from);
    const width = this.get(at + WIDTH) - size;
    const left = this.get(at + TOTAL) - total;
    const between = (size * width * (total / size - left / width) ** 2) / (size + width);
    this.set(at + WIDTH, width);
    this.set(at + TOTAL, left);
    this.set(at + DEVIATIONS, this.get(at + DEVIATIONS) - this.get(from + 1) - between);
    this.shift(at, row, 1);
    if (this.get(from - 1) === 0) this.set(at + ROWS, row);
    return size;
  }

  /** Drops the oldest buckets while there is a change; says whether there was one. */
  private shrink(at: number): boolean {
    let hasChanged = false;
    while (this.get(at + WIDTH) > WIDTH_MIN && this.hasCut(at)) {
      hasChanged = true;
      this.dropOldest(at);
    }
    return hasChanged;
  }

  /** Whether the window can be cut between two buckets so that the means on both sides differ. */
  private hasCut(at: number): boolean {
    const width = this.get(at + WIDTH);
    const total = this.get(at + TOTAL);
    const variance = this.get(at + DEVIATIONS) / width;
    const doubt = Math.log((2 * Math.log(width)) / this.delta);
    let older = 0;
    let olderTotal = 0;
    for (let row = this.get(at + ROWS) - 1; row >= 0; row--) {
      const from = at + HEAD + row * ROW;
      for (let bucket = 0; bucket < this.get(from); bucket++) {
        older += 2 ** row;
        olderTotal += this.get(from + 1 + bucket * BUCKET);
        const newer = width - older;
        if (older < PART_MIN || newer < PART_MIN) continue;
        const off = Math.abs(olderTotal / older - (total - olderTotal) / newer);
        const inverse = 1 / (older - PART_MIN + 1) + 1 / (newer - PART_MIN + 1);
        if (off > Math.sqrt(2 * inverse * variance * doubt) + (2 / 3) * doubt * inverse) return true;
      }
    }
    return false;
  }

  /** Marks some neighbouring numbers as changed, fewer than a block of a cell has. */
  private touch(from: number, numbers: number): void {
    this.cell.touch(from);
    this.cell.touch(from + numbers - 1);
  }

  private get(i: number): number {
    return this.cell.values[i] as number;
  }

  private set(i: number, value: number): void {
    this.cell.values[i] = value;
    this.cell.touch(i);
  }
}

/** Adds an error to a window of errors and says whether their rate has risen. */
export function errorRises(errors: Adwin, at: number, error: number): boolean {
  const before = errors.mean(at);
  return errors.add(at, error) && errors.mean(at) > before;
}

/** How unlikely a change must be by chance. */
export interface AdwinOptions {
  /** The probability of chance, of each of the tests, below which there is a drift; 0.002 by default. */
  readonly delta?: number;
}

/**
 * ADWIN: keeps a window as long as its mean does not change, and finds a drift where the means of an older and a newer part differ by more
 * than chance explains. The window grows while nothing changes, so small changes are found too.
 *
 * @example detectDrift({ of: (row) => Math.abs(row.predicted - row.label), detector: adwin({ delta: 0.0001 }) });
 *
 * It looks for changes at every 32nd number, at every cut between its buckets (some implementations skip the newest ones, and find a change
 * 32 numbers later). A test alarms by chance with a probability below `delta`. The bound is for numbers from 0 to 1; others change its
 * meaning. After a drift it begins anew. Memory: 317 numbers.
 * Source: Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing", SDM 2007.
 */
export function adwin({ delta = 0.002 }: AdwinOptions = {}): DriftDetector {
  const held: Pick<Float64Cell, 'touch'> & { values: Float64Array } = { values: new Float64Array(0), touch: () => {} };
  const windows = new Adwin(held, delta);
  return detector({
    kind: 'adwin',
    settings: { delta },
    problems: betweenProblems({ delta }, 0, 1),
    values: 'numbers',
    size: ADWIN_SIZE,
    add(state, at, x) {
      held.values = state;
      const before = windows.mean(at);
      if (!windows.add(at, x)) return undefined;
      const after = windows.mean(at);
      return { level: 'drift', statistic: Math.abs(after - before), threshold: delta, before, after };
    },
  });
}
