/** What is kept to draw a calibration plot: three numbers a bin, whatever the number of rows. */
export interface CalibrationSums {
  readonly rows: number[];
  /** Sum of the predicted probabilities. */
  readonly predicted: number[];
  /** Rows that happened. */
  readonly observed: number[];
}

/** One point of a calibration plot. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly meanPredicted: number;
  readonly observedRate: number;
}

/** Sums over `bins` bins of equal width over [0, 1]. */
export const emptyCalibration = (bins = 10): CalibrationSums => ({
  rows: new Array<number>(bins).fill(0),
  predicted: new Array<number>(bins).fill(0),
  observed: new Array<number>(bins).fill(0),
});

/** Adds a row, in place. */
export function addCalibration(sums: CalibrationSums, probability: number, label: boolean): void {
  const { rows, predicted, observed } = sums;
  const bin = Math.max(0, Math.min(rows.length - 1, Math.floor(probability * rows.length)));
  rows[bin] = (rows[bin] as number) + 1;
  predicted[bin] = (predicted[bin] as number) + probability;
  if (label) observed[bin] = (observed[bin] as number) + 1;
}

/** The sums over the rows of both; both must have as many bins. */
export function mergeCalibration(a: CalibrationSums, b: CalibrationSums): CalibrationSums {
  const add = (left: number[], right: number[]) => left.map((x, i) => x + (right[i] as number));
  return {
    rows: add(a.rows, b.rows),
    predicted: add(a.predicted, b.predicted),
    observed: add(a.observed, b.observed),
  };
}

/**
 * How often what was predicted really happened, bin by bin; bins without rows are left out.
 *
 * @example
 * const sums = emptyCalibration();
 * addCalibration(sums, 0.25, true);
 * calibrationBins(sums); // [{ from: 0.2, to: 0.3, rows: 1, meanPredicted: 0.25, observedRate: 1 }]
 */
export function calibrationBins({ rows, predicted, observed }: CalibrationSums): CalibrationBin[] {
  return rows.flatMap((count, i) =>
    count === 0
      ? []
      : [
          {
            from: i / rows.length,
            to: (i + 1) / rows.length,
            rows: count,
            meanPredicted: (predicted[i] as number) / count,
            observedRate: (observed[i] as number) / count,
          },
        ],
  );
}

/** Expected calibration error: the mean distance between what was predicted and what happened, weighted by rows. */
export function calibrationError(sums: CalibrationSums): number {
  const bins = calibrationBins(sums);
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  return bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.meanPredicted - bin.observedRate), 0);
}
