import type { CellSpec, Problem } from '../../core/index.js';
import { type Float64Cell, type RingCell, ringCell } from '../../state/index.js';
import { momentsCell, RunningMoments } from './running/running-moments.js';
import { RunningQuantiles } from './running/running-quantiles.js';

/** Values that a band looks back on, unless told otherwise. */
const WINDOW = 1001;
const HAMPEL_WINDOW = 31;
/** Values that come before a band says anything. */
const WARM_UP = 30;
/** Makes the median distance of normal numbers their standard deviation. */
const NORMAL = 1.4826;
/** A value further out than this many deviations is learnt from as if it lay there, so that no single one moves a band far. */
const LEARNT_MAX = 3;

interface Windowed {
  /** How many values it looks back on; 1,001 by default (31 for `hampel`). */
  readonly window?: number;
  /** How many values come before it says anything; 30 by default, or the window. */
  readonly warmUp?: number;
}

/**
 * Where a field's values usually lie, as data:
 *
 * - `zScore: k`: within k standard deviations of the mean of all values so far.
 * - `iqr: k`: from k interquartile ranges below the first quartile to k above the third one (Tukey's fences; k is 1.5 by custom).
 * - `quantiles: [low, high]`: between two quantiles.
 * - `hampel: k`: within k scaled median distances of the median (Hampel's identifier; k is 3 by custom).
 */
export type BandRule =
  | { readonly zScore: number; readonly warmUp?: number }
  | ({ readonly iqr: number } & Windowed)
  | ({ readonly quantiles: readonly [low: number, high: number] } & Windowed)
  | ({ readonly hampel: number } & Windowed);

/** A band on its open cell. It speaks of the values seen before; a band of no width says nothing, since it would refuse any change. */
export interface Band {
  /** Works out `low`, `high` and `center`; `false` while it cannot say. */
  know(): boolean;
  low: number;
  high: number;
  center: number;
  /** Learns from a value that can be measured. */
  see(value: number): void;
}

export interface BandSpec {
  readonly cell: CellSpec;
  readonly text: string;
  readonly problems: readonly Problem[];
  /** Takes its own cell: the pair is made in one place. */
  open(cell: unknown): Band;
}

/** A rule resolved: its cell, its text, what is wrong with it. */
export function bandOf(rule: BandRule): BandSpec {
  if ('zScore' in rule) return zScore(rule.zScore, rule.warmUp ?? WARM_UP);
  const { window = 'hampel' in rule ? HAMPEL_WINDOW : WINDOW } = rule;
  const { warmUp = Math.min(WARM_UP, window) } = rule;
  if ('hampel' in rule)
    return windowed(`hampel ${rule.hampel}`, rule.hampel, window, warmUp, (band, running) => {
      band.center = running.median() as number;
      const spread = rule.hampel * NORMAL * (running.medianDistance(band.center) as number);
      band.low = band.center - spread;
      band.high = band.center + spread;
    });
  const [k, from, to] = 'iqr' in rule ? [rule.iqr, 0.25, 0.75] : [0, ...rule.quantiles];
  const text = 'iqr' in rule ? `iqr ${k}` : `quantiles ${from} to ${to}`;
  const spec = windowed(text, 'iqr' in rule ? k : 1, window, warmUp, (band, running) => {
    const low = running.quantile(from) as number;
    const high = running.quantile(to) as number;
    const spread = k === 0 ? 0 : k * (high - low);
    band.low = low - spread;
    band.high = high + spread;
    band.center = running.median() as number;
  });
  if (from >= 0 && from < to && to <= 1) return spec;
  const problem = {
    message: `quantiles are ${from} and ${to}`,
    hint: 'give two shares between 0 and 1, the lower first: [0.01, 0.99]',
  };
  return { ...spec, problems: [...spec.problems, problem] };
}

function zScore(k: number, warmUp: number): BandSpec {
  return {
    cell: momentsCell(),
    text: `zScore ${k}`,
    problems: widthProblems('zScore', k, warmUp),
    open(cell: Float64Cell) {
      const moments = new RunningMoments(cell);
      const band: Band = {
        low: 0,
        high: 0,
        center: 0,
        know() {
          if (moments.count < warmUp) return false;
          const { mean } = moments;
          const spread = k * moments.deviation;
          band.center = mean;
          band.low = mean - spread;
          band.high = mean + spread;
          return spread > 0;
        },
        see(value) {
          const most = Math.max(k, LEARNT_MAX) * moments.deviation;
          if (moments.count < warmUp || most === 0) moments.add(value);
          else moments.add(Math.min(Math.max(value, moments.mean - most), moments.mean + most));
        },
      };
      return band;
    },
  };
}

function windowed(
  text: string,
  k: number,
  window: number,
  warmUp: number,
  workOut: (band: Band, running: RunningQuantiles) => void,
): BandSpec {
  const isWindow = Number.isInteger(window) && window >= 1;
  const problem = { message: `${text}: window is ${window}`, hint: 'give a whole number from 1' };
  const late = {
    message: `${text}: warmUp is ${warmUp}, and window is ${window}`,
    hint: 'give a `warmUp` up to `window`',
  };
  return {
    cell: ringCell<number>({ length: isWindow ? window : 1 }),
    text: `${text} of the last ${window}`,
    problems: isWindow ? [...widthProblems(text, k, warmUp), ...(warmUp > window ? [late] : [])] : [problem],
    open(ring: RingCell<number>) {
      const running = new RunningQuantiles(ring, window);
      const band: Band = {
        low: 0,
        high: 0,
        center: 0,
        know() {
          if (ring.size < warmUp) return false;
          workOut(band, running);
          return band.low < band.high;
        },
        see: (value) => running.add(value),
      };
      return band;
    },
  };
}

function widthProblems(text: string, k: number, warmUp: number): Problem[] {
  const problems: Problem[] = [];
  if (!(k > 0)) problems.push({ message: `${text} is not above 0`, hint: 'give a positive number' });
  if (!(warmUp >= 1)) problems.push({ message: `${text}: warmUp is ${warmUp}`, hint: 'give a whole number from 1' });
  return problems;
}
