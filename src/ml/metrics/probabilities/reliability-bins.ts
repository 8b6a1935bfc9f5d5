import type { Aggregate, Numbers } from '../../../aggregates/aggregate.js';
import { addTerm, sumAt } from '../../../aggregates/sum.js';
import type { ClassLabel } from '../../../core/learner.js';
import {
  greatest,
  type Labelled,
  probabilityOf,
  type ScoredBy,
  type ScoreOptions,
  scoreReader,
  truthOf,
} from '../labelled.js';
import { classesText, classProblems, metric, wholeProblems } from '../metric.js';
import { scoreBin } from './score-table.js';

/** Bins of equal width over probabilities. */
export interface ReliabilityOptions extends ScoreOptions {
  /** 15 by default, 1,000 at most. */
  readonly bins?: number;
}

/** How confident the predictions of a bin were, and how often they came true. */
export interface ReliabilityBin {
  /** Confidences from here up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly weight: number;
  /** The mean confidence. */
  readonly predicted: number;
  /** The share that came true. */
  readonly happened: number;
}

/** Of a bin: its rows; weight, weight of what came true and weighted confidence, each a compensated sum. */
const SUMS = 3;

/**
 * A metric that is read from confidences by bin, in the order of the bins and without empty ones. The confidence is the probability of
 * true, or the score of the class that is decided for; it comes true if the label is that class. `sql` is over an array of tuples: weight,
 * weight of what came true, weighted confidence.
 */
export function reliabilityMetric<O extends ReliabilityOptions, Result>(
  kind: string,
  options: O,
  read: (bins: readonly ReliabilityBin[]) => Result,
  sql?: (binned: string) => string,
): Aggregate<ScoredBy<O>, Result | null> {
  const { classes, bins = 15 } = options;
  const { sureOf, cameTrueOf } = classes === undefined ? ofTrue : ofDecision(classes);
  const binAt = (from: Float64Array | number[], at: number, bin: number): ReliabilityBin => {
    const sums = at + bins + bin * 2 * SUMS;
    const weight = sumAt(from, sums);
    const rows = from[at + bin] as number;
    return {
      from: bin / bins,
      to: (bin + 1) / bins,
      rows,
      weight,
      predicted: sumAt(from, sums + 4) / weight,
      happened: sumAt(from, sums + 2) / weight,
    };
  };
  return metric<Labelled, Result>(
    kind,
    `${kind} in ${bins} bins${classesText(classes)}`,
    {
      plain: bins,
      compensated: SUMS * bins,
      add(into, count, at, row, weight) {
        const sure = sureOf(row);
        const cameTrue = cameTrueOf(row);
        if (Number.isNaN(sure) || Number.isNaN(cameTrue)) return false;
        const bin = scoreBin(sure, bins);
        const sums = at + bins + bin * 2 * SUMS;
        for (let k = 0; k < count; k++) {
          const own = into[k] as Numbers;
          const rows = (own[at + bin] as number) + Math.sign(weight);
          own[at + bin] = rows;
          if (rows === 0) own.fill(0, sums, sums + 2 * SUMS);
          else {
            addTerm(own, sums, weight);
            addTerm(own, sums + 2, weight * cameTrue);
            addTerm(own, sums + 4, weight * sure);
          }
        }
        return true;
      },
      sql: sql && ((sums) => sql(binnedSql(sums, bins))),
    },
    (from, at) => read(Array.from({ length: bins }, (_, bin) => binAt(from, at, bin)).filter(({ rows }) => rows > 0)),
    [...wholeProblems('the number of bins', bins, 1, 1_000), ...classProblems(classes)],
  ) as Aggregate<ScoredBy<O>, Result | null>;
}

/** Of each bin with rows: its weight, the weight that came true, the weighted confidence. */
const binnedSql = (sums: string, bins: number): string => {
  const part = (at: number) => `${sums}[${bins + 2 + at} + 6 * b] + ${sums}[${bins + 3 + at} + 6 * b]`;
  return `arrayMap(b -> (${part(0)}, ${part(2)}, ${part(4)}), arrayFilter(b -> ${sums}[2 + b] > 0, range(${bins})))`;
};

/** How sure a prediction was, and whether it came true; NaN for what cannot be used. */
interface Confidence {
  readonly sureOf: (row: Labelled) => number;
  /** Called after `sureOf`, with the same row. */
  readonly cameTrueOf: (row: Labelled) => number;
}

const ofTrue: Confidence = {
  sureOf: ({ prediction }) => probabilityOf(prediction),
  cameTrueOf: ({ label }) => truthOf(label),
};

function ofDecision(classes: readonly ClassLabel[]): Confidence {
  const scoreOf = scoreReader(classes);
  const scores = new Float64Array(classes.length);
  let decided = 0;
  return {
    sureOf({ prediction }) {
      for (let c = 0; c < scores.length; c++) scores[c] = probabilityOf(scoreOf(prediction, c));
      decided = greatest(scores, 0, scores.length);
      return scores.some(Number.isNaN) ? Number.NaN : (scores[decided] as number);
    },
    cameTrueOf({ label }) {
      const place = classes.indexOf(label as ClassLabel);
      return place < 0 ? Number.NaN : Number(decided === place);
    },
  };
}
