/** A measurement at a time. */
export interface Sample {
  readonly minute: number;
  readonly value: number;
}

/** The slope of the straight line nearest to the samples by least squares: value a minute. */
export function growthOf(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const minute = mean((sample) => sample.minute);
  const value = mean((sample) => sample.value);
  const covariance = mean((sample) => (sample.minute - minute) * (sample.value - value));
  const variance = mean((sample) => (sample.minute - minute) ** 2);
  return variance === 0 ? 0 : covariance / variance;
}
