import type { Problem } from '../core/index.js';
import { type Aggregate, isMissing, type NumberOf, ofValue } from './aggregate.js';
import { addToBin, addToBins, binOf, emptyBins, type LogBins, mappingFor, mergeBins, quantileOf } from './log-bins.js';

/** The error of a quantile. */
export interface QuantileOptions {
  /** The maximum relative error of a result; 0.01 by default. */
  readonly error?: number;
}

/**
 * A quantile of a number, from a sketch; `null` if no record has a number. Null, undefined, NaN and infinities are ignored.
 *
 * @example
 * const aggregates = { p95: quantile((flight: { delay: number | null }) => flight.delay, 0.95) };
 *
 * The result is within 1 % (or `error`) of the true value, for any distribution. Values within 10^-308 of zero count as zero. Merges
 * without loss, and retracts exactly. Memory: 16 bytes per bin with values; values between 1 and a million have at most 690 bins.
 * Source: DDSketch (Masson, Rim and Lee, 2019) with the mapping of `@datadog/sketches-js`.
 */
export function quantile<In>(
  of: NumberOf<In>,
  at: number,
  options: QuantileOptions = {},
): Aggregate<In, number | null> {
  return sketched<In, number | null>(of, [at], options, ([only]) => only ?? null);
}

/**
 * Several quantiles of a number from one sketch, in the order of the argument: see `quantile`.
 *
 * @example
 * const aggregates = { delays: quantiles((flight: { delay: number }) => flight.delay, [0.5, 0.95, 0.99]) };
 *
 * Memory: as one `quantile`.
 */
export function quantiles<In>(
  of: NumberOf<In>,
  at: readonly number[],
  options: QuantileOptions = {},
): Aggregate<In, readonly (number | null)[]> {
  return sketched<In, readonly (number | null)[]>(of, at, options, (all) => all);
}

function sketched<In, Result>(
  of: NumberOf<In>,
  at: readonly number[],
  { error = 0.01 }: QuantileOptions,
  shape: (quantiles: readonly (number | null)[]) => Result,
): Aggregate<In, Result> {
  const problems = problemsOf(at, error);
  const mapping = mappingFor(error > 0 && error < 1 ? error : 0.01);
  const update = (bins: LogBins, value: In, times: number) => {
    const x = of(value);
    if (!isMissing(x) && Number.isFinite(x)) addToBins(bins, mapping, x, times);
    return bins;
  };
  const text = `quantile ${at.join(', ')} within ${Number((100 * error).toPrecision(12))} %`;
  return ofValue<In, LogBins, Result>(
    'quantiles',
    text,
    {
      create: emptyBins,
      add: (bins, value) => update(bins, value, 1),
      addEach(all, count, value) {
        const x = of(value);
        if (isMissing(x) || !Number.isFinite(x)) return;
        const bin = binOf(mapping, x);
        for (let k = 0; k < count; k++) addToBin(all[k] as LogBins, bin, x, 1);
      },
      merge(bins, other) {
        mergeBins(bins, other);
        return bins;
      },
      result: (bins) => shape(at.map((q) => quantileOf(bins, mapping, q))),
      retract: (bins, value) => update(bins, value, -1),
    },
    problems,
  );
}

function problemsOf(at: readonly number[], error: number): Problem[] {
  const problems = at
    .filter((q) => !(q >= 0 && q <= 1))
    .map((q) => ({
      message: `a quantile at ${q}`,
      hint: 'quantiles are between 0 and 1: 0.95 for the 95th percentile',
    }));
  if (!(error > 0 && error < 1))
    problems.push({ message: `a quantile within ${error}`, hint: 'give `error` as a share, such as 0.01' });
  return problems;
}
