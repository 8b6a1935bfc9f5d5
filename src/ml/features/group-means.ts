import type { MapCell } from '../../state/index.js';
import type { RollingFeature } from './feature.js';

/** What is kept of one group: `[event time, weight by half-life..., decayed sum by slot...]`, all as of that time. */
export type GroupEntry = number[];

/** A decayed sum of one outcome value at one half-life; features that differ only in prior or scale share it. */
interface Slot {
  readonly rate: number;
  readonly value: number;
  readonly min: number;
  readonly max: number;
}

interface Output {
  readonly at: number;
  readonly rate: number;
  readonly slot: number;
  readonly prior: number;
  readonly priorWeight: number;
  readonly center: number;
  readonly scale: number;
}

/** How the rolling features of one grouping share their state, as inert data. */
export interface GroupPlan {
  /** Decay a millisecond, by half-life. */
  readonly rates: readonly number[];
  readonly slots: readonly Slot[];
  readonly outputs: readonly Output[];
}

/** Plans the features of one grouping; `at` is each one's place in the dense part. */
export function planGroup(
  features: readonly { readonly feature: RollingFeature<string, string>; readonly at: number }[],
  valueNames: readonly string[],
): GroupPlan {
  const rates: number[] = [];
  const slots: Slot[] = [];
  const outputs = features.map(({ feature, at }): Output => {
    const { prior, priorWeight, center, scale } = feature;
    const rate = placeOf(rates, Math.LN2 / feature.halfLifeMs, (a, b) => a === b);
    const wanted: Slot = { rate, value: valueNames.indexOf(feature.value), min: feature.clip[0], max: feature.clip[1] };
    const slot = placeOf(slots, wanted, (a, b) => JSON.stringify(slotKey(a)) === JSON.stringify(slotKey(b)));
    return { at, rate, slot, prior, priorWeight, center, scale };
  });
  return { rates, slots, outputs };
}

/** All that the layout of an entry depends on: state of another layout must not be read as this one. */
export const layoutOf = ({ rates, slots }: GroupPlan) => [rates, slots.map(slotKey)];

const slotKey = ({ rate, value, min, max }: Slot) => [rate, value, String(min), String(max)];

function placeOf<T>(list: T[], item: T, equal: (a: T, b: T) => boolean): number {
  const place = list.findIndex((other) => equal(other, item));
  return place >= 0 ? place : list.push(item) - 1;
}

/** The decayed means of one grouping. */
export interface GroupMeans {
  /** Writes the features of a group as of a time; changes no state. */
  read(group: string | number | null, timeMs: number, dense: Float32Array): void;
  /** Takes in what became of one row; `values` by outcome value. */
  add(group: string | number, timeMs: number, values: readonly number[]): void;
}

/** Opens a grouping on its cell; times never fall. */
export function groupMeans(
  { rates, slots, outputs }: GroupPlan,
  cell: MapCell<string | number, GroupEntry>,
): GroupMeans {
  const sums = 1 + rates.length;
  const decays = new Float64Array(rates.length);
  let decayedMs = Number.NaN;
  const decaysOver = (elapsedMs: number) => {
    // Often the same as before, as event times come in minutes or seconds.
    if (elapsedMs === decayedMs) return;
    decayedMs = elapsedMs;
    for (let r = 0; r < rates.length; r++) decays[r] = elapsedMs > 0 ? Math.exp(-elapsedMs * (rates[r] as number)) : 1;
  };

  return {
    read(group, timeMs, dense) {
      const entry = group === null ? undefined : cell.get(group);
      if (entry) decaysOver(timeMs - (entry[0] as number));
      for (let o = 0; o < outputs.length; o++) {
        const { at, rate, slot, prior, priorWeight, center, scale } = outputs[o] as Output;
        const decay = entry ? (decays[rate] as number) : 0;
        const weight = entry ? (entry[1 + rate] as number) * decay : 0;
        const sum = entry ? (entry[sums + slot] as number) * decay : 0;
        dense[at] = ((sum + prior * priorWeight) / (weight + priorWeight) - center) / scale;
      }
    },

    add(group, timeMs, values) {
      let entry = cell.get(group);
      if (entry === undefined) {
        entry = new Array<number>(sums + slots.length).fill(0);
        entry[0] = timeMs;
      }
      const asOfMs = entry[0] as number;
      if (timeMs > asOfMs) {
        decaysOver(timeMs - asOfMs);
        entry[0] = timeMs;
        for (let r = 0; r < rates.length; r++) entry[1 + r] = (entry[1 + r] as number) * (decays[r] as number);
        for (let s = 0; s < slots.length; s++) {
          const rate = (slots[s] as Slot).rate;
          entry[sums + s] = (entry[sums + s] as number) * (decays[rate] as number);
        }
      }
      for (let r = 0; r < rates.length; r++) entry[1 + r] = (entry[1 + r] as number) + 1;
      for (let s = 0; s < slots.length; s++) {
        const { value, min, max } = slots[s] as Slot;
        entry[sums + s] = (entry[sums + s] as number) + Math.min(max, Math.max(min, values[value] as number));
      }
      cell.set(group, entry);
    },
  };
}
