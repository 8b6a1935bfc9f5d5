import type { Problem } from '../core/index.js';
import { type Aggregate, isMissing, type NumberOf, ofValue } from './aggregate.js';
import { addToBins, emptyBins, type LogBins, mappingFor, mergeBins, quantileOf } from './log-bins.js';

/** How far a quantile may be from the true one. */
export interface QuantileOptions {
  /** How far a result may be from the true quantile, as a share of it; 0.01 by default. */
  readonly error?: number;
}

/**
 * One quantile of a number, from a sketch; `null` where no record has it (null, undefined, NaN and infinities are passed over).
 *
 * @example
 * const aggregates = { p95: quantile((flight: { delay: number | null }) => flight.delay, 0.95) };
 *
 * Within 1 % of the true value (or of `error`), whatever the distribution: DDSketch (Masson, Rim and Lee, 2019) with the
 * mapping of `@datadog/sketches-js`, its bins kept as plain data. Values within 10^-308 of
 * zero count as zero. Windows merge without loss, values are taken back exactly.
 * Memory: 16 bytes for each bin that holds something; values between 1 and a million fall into 690 bins at most.
 */
export function quantile<In>(
  of: NumberOf<In>,
  at: number,
  options: QuantileOptions = {},
): Aggregate<In, number | null> {
  return sketched<In, number | null>(of, [at], options, ([only]) => only ?? null);
}

/**
 * Several quantiles of a number from one sketch, in the order in which they are asked for: see `quantile`.
 *
 * @example
 * const aggregates = { delays: quantiles((flight: { delay: number }) => flight.delay, [0.5, 0.95, 0.99]) };
 *
 * Memory: that of one `quantile`.
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
