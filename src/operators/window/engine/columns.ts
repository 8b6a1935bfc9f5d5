import type { Accumulator } from '../../../aggregates/accumulator.js';

/** Accumulators one after another, in arrays that grow; not part of any checkpoint. */
export class Columns<In> {
  numbers: Float64Array;
  readonly values: unknown[] = [];
  size = 0;

  constructor(readonly accumulator: Accumulator<In>) {
    this.numbers = new Float64Array(16 * accumulator.numbers);
  }

  /** Adds an empty accumulator and returns its place. */
  add(): number {
    const place = this.size++;
    const { numbers, values } = this.accumulator;
    if (this.size * numbers > this.numbers.length) {
      const grown = new Float64Array(2 * this.numbers.length);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    for (let i = 0; i < values; i++) this.values.push(undefined);
    this.accumulator.init(this.numbers, place * numbers, this.values, place * values);
    return place;
  }

  /** Takes into the accumulator at `place` what one of another holds. */
  merge(
    place: number,
    from: { readonly numbers: Float64Array; readonly values: readonly unknown[] },
    fromPlace: number,
  ) {
    const { numbers, values } = this.accumulator;
    this.accumulator.merge(
      this.numbers,
      place * numbers,
      this.values,
      place * values,
      from.numbers,
      fromPlace * numbers,
      from.values,
      fromPlace * values,
    );
  }

  clear(): void {
    this.size = 0;
    this.values.length = 0;
  }
}
