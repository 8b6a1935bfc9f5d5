import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import { addTerm, sumAt } from '../../../aggregates/sum.js';
import { metric } from '../metric.js';
import { finiteSql, letSql, sumSql } from '../sql.js';
import { errorOf, type NumberRow } from './number-row.js';

/** Weight, weighted labels, weighted squares of labels, weighted squared errors: compensated sums. */
const WEIGHT = 0;
const LABELS = 2;
const SQUARES = 4;
const ERRORS = 6;

/** Squared deviations that are a smaller part of the squares are what rounding left. */
const ALIKE = 1e-26;

/**
 * R2: the share of the labels' variance that predictions explain. 1 is best; always predicting the mean label gives 0, and worse
 * predictions less.
 *
 * @example
 * const scores = { explained: r2() };
 *
 * The variance comes from sums of labels and of their squares in twice the precision, so it loses no digits as long as the mean is below
 * 10^8 times the deviation. Null if all labels are the same, up to 13 digits. Numbers beyond 1e90 are ignored. Retracts. Memory: nine numbers.
 */
export const r2 = (): Aggregate<NumberRow, number | null> =>
  metric<NumberRow, number | null>(
    'r2',
    'r2',
    {
      compensated: 4,
      add(into, count, at, row, weight) {
        const off = errorOf(row);
        if (Number.isNaN(off)) return false;
        const label = row.label as number;
        const square = label * label;
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          addTerm(own, at + WEIGHT, weight);
          addProduct(own, at + LABELS, weight, label);
          addProduct(own, at + SQUARES, weight, square);
          addTerm(own, at + SQUARES, weight * lost(label, label, square));
          addTerm(own, at + ERRORS, weight * off * off);
        }
        return true;
      },
      sql: sqlOf,
    },
    (from, at) => {
      const spread = squaresAround(from, at);
      if (!(spread > ALIKE * sumAt(from, at + SQUARES))) return null;
      const left = Math.max(0, sumAt(from, at + ERRORS)) / spread;
      return Number.isFinite(left) ? 1 - left : null;
    },
  );

/** In the precision of columns: it loses as many digits as the mean's square is above the variance. */
function sqlOf(sums: string): string {
  const [weight, labels, squares, errors] = [WEIGHT, LABELS, SQUARES, ERRORS].map((at) => sumSql(sums, at));
  const left = `1 - greatest(0, ${errors}) / spread`;
  return letSql(
    'spread',
    `${squares} - ${labels} * ${labels} / ${weight}`,
    `if(spread > 1e-12 * ${squares}, ${finiteSql(left)}, NULL)`,
  );
}

/** The sum of squared distances from the mean: squares minus the squared sum divided by the weight, both in two parts. */
function squaresAround(from: Numbers, at: number): number {
  const part = (place: number): readonly [high: number, low: number] => {
    const high = sumAt(from, at + place);
    return [high, (from[at + place] as number) - high + (from[at + place + 1] as number)];
  };
  const [weight, weightLow] = part(WEIGHT);
  const [labels, labelsLow] = part(LABELS);
  const [squares, squaresLow] = part(SQUARES);
  const product = labels * labels;
  const productLow = lost(labels, labels, product) + 2 * labels * labelsLow;
  const quotient = product / weight;
  const back = quotient * weight;
  const rest = product - back - lost(quotient, weight, back) - quotient * weightLow + productLow;
  return squares - quotient + (squaresLow - rest / weight);
}

function addProduct(into: Numbers, at: number, a: number, b: number): void {
  const product = a * b;
  addTerm(into, at, product);
  addTerm(into, at, lost(a, b, product));
}

/** What rounding took from a product (Dekker, "A floating-point technique for extending the available precision", 1971). */
function lost(a: number, b: number, product: number): number {
  if (Math.abs(a) > SPLIT_MAX || Math.abs(b) > SPLIT_MAX) return 0;
  const aHigh = highOf(a);
  const bHigh = highOf(b);
  const aLow = a - aHigh;
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** Above it a number cannot be split without overflow. */
const SPLIT_MAX = 1e290;

/** The upper half of the digits. */
function highOf(x: number): number {
  const shifted = 134_217_729 * x; // 2^27 + 1
  return shifted - (shifted - x);
}
