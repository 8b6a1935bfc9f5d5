import type { Problem } from '../../../core/index.js';
import type { ClassLabel } from '../../../core/learner.js';
import { shareSql } from '../sql.js';
import { type ClassWeights, type ClassWeightsSql, type ConfusionTable, classWeights } from './confusion-table.js';
import type { DecisionOptions } from './decision.js';

/** How figures of classes become one: the plain mean, the mean by the weight of labels, or one figure of all decisions. */
export type ClassAverage = 'macro' | 'weighted' | 'micro';

/** What a figure of one class is shown of; where labels are true or false, it is of those that are true. */
export interface AverageOptions {
  /** Of declared classes: how they become one figure; `macro` by default. */
  readonly average?: ClassAverage;
  /** Of declared classes: shows this class alone. */
  readonly of?: ClassLabel;
}

export type AveragedOptions = DecisionOptions & AverageOptions;

/** A figure of a class as a fraction: both parts can be added up over classes. */
type Fraction = (weights: ClassWeights) => readonly [top: number, bottom: number];

const share = ([top, bottom]: readonly [number, number]): number | null => (bottom === 0 ? null : top / bottom);

/**
 * Reads a figure of classes from a table. Of a mean over classes, those count that a label or a decision had, and one whose figure
 * has no value counts as 0: a model is not better for never deciding for a class.
 */
export function averaged(options: AveragedOptions, fraction: Fraction): (table: ConfusionTable) => number | null {
  const { classes, average = 'macro', of } = options;
  const place = classes === undefined ? 1 : of === undefined ? -1 : classes.indexOf(of);
  return (table) => {
    const all = classWeights(table);
    if (place >= 0) return share(fraction(all[place] as ClassWeights));
    const seen = all.filter(({ labels, decisions }) => labels + decisions > 0);
    if (average === 'micro') {
      const sums = seen.map(fraction);
      return share([sums.reduce((sum, [top]) => sum + top, 0), sums.reduce((sum, [, bottom]) => sum + bottom, 0)]);
    }
    const weigh = average === 'weighted' ? ({ labels }: ClassWeights) => labels : () => 1;
    const weights = seen.reduce((sum, one) => sum + weigh(one), 0);
    return share([seen.reduce((sum, one) => sum + weigh(one) * (share(fraction(one)) ?? 0), 0), weights]);
  };
}

/** SQL of a figure of classes, given that of the fraction of a class whose weights are `r`, `l` and `d`. */
export function averagedSql(options: AveragedOptions, [top, bottom]: readonly [string, string]) {
  const { classes, average = 'macro', of } = options;
  const place = classes === undefined ? 1 : of === undefined ? -1 : classes.indexOf(of);
  return ({ right, labels, decisions }: ClassWeightsSql): string => {
    const each = (expression: string) => `arrayMap((r, l, d) -> ${expression}, ${right}, ${labels}, ${decisions})`;
    if (place >= 0) return `${each(shareSql(top, bottom))}[${place + 1}]`;
    const sumOf = (expression: string) => `arraySum(${each(expression)})`;
    if (average === 'micro') return shareSql(sumOf(top), sumOf(bottom));
    const figure = `if(${bottom} = 0, 0, ${top} / ${bottom})`;
    if (average === 'weighted') return shareSql(sumOf(`l * ${figure}`), sumOf('l'));
    return shareSql(sumOf(figure), sumOf('toUInt8(l + d > 0)'));
  };
}

/** The text and the problems of how classes become one figure. */
export function averageOf({ classes, of }: AveragedOptions): { readonly problems: readonly Problem[] } {
  if (of === undefined || classes?.includes(of)) return { problems: [] };
  return {
    problems: [
      {
        message: classes === undefined ? `one class, ${of}, where none is declared` : `${of} is not among the classes`,
        hint: classes === undefined ? 'declare `classes`, or leave out `of`' : `the classes are: ${classes.join(', ')}`,
      },
    ],
  };
}
