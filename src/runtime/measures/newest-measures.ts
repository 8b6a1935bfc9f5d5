import type { ConfidenceInterval, Measured, MetricRow } from '../../core/index.js';

/** What a step has measured, how sure it is, where that is known, and how it is put together with that of other tasks. */
export interface Measurement {
  readonly row: MetricRow;
  readonly interval: ConfidenceInterval | undefined;
  readonly weight?: Measured['weight'];
}

/** Slices that are kept, over all steps and names. */
const SLICES_MAX = 500;
/** Model versions of one name and slice: those of the newest event time. */
const VERSIONS_MAX = 11;

/**
 * The newest measurements of a task: of each step, name and slice those of the newest event time, one a model version. A later measurement of
 * the same event time replaces the earlier, and one of an earlier event time changes nothing.
 *
 * Memory: names of all records as steps have them; 500 of slices, of which the one measured longest ago makes room; 11 versions each.
 */
export class NewestMeasures {
  private readonly whole = new Map<string, readonly Measurement[]>();
  private readonly slices = new Map<string, readonly Measurement[]>();

  /** Takes measurements, and returns their rows. */
  note(measurements: readonly Measurement[]): MetricRow[] {
    for (const each of measurements) this.noteOne(each);
    return measurements.map(({ row }) => row);
  }

  private noteOne(measurement: Measurement): void {
    const { step, name, slice, version, eventTimeMs } = measurement.row;
    const kept = slice === '' ? this.whole : this.slices;
    const key = `${step}\0${name}\0${slice}`;
    const known = kept.get(key) ?? [];
    const newestMs = known[0]?.row.eventTimeMs ?? Number.NEGATIVE_INFINITY;
    if (eventTimeMs < newestMs) return;
    const others = eventTimeMs > newestMs ? [] : known.filter(({ row }) => row.version !== version);
    kept.delete(key); // it moves to the end
    kept.set(key, [...others, measurement].slice(-VERSIONS_MAX));
    const [oldest] = this.slices.keys();
    if (this.slices.size > SLICES_MAX && oldest !== undefined) this.slices.delete(oldest);
  }

  /** The last one of each step and name over all slices. */
  ofAll(): readonly MetricRow[] {
    return [...this.whole.values()].flatMap((versions) => versions.slice(-1).map(({ row }) => row));
  }

  /** All that is kept, those over all slices first; of the same name and slice the last one is the last that was measured. */
  bySlice(): readonly Measurement[] {
    return [...this.whole.values(), ...this.slices.values()].flat();
  }
}
