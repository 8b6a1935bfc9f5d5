/** A split: rows whose feature at `coordinate` is at most `threshold` go left. */
export interface Split {
  coordinate: number;
  threshold: number;
  /** What it gains: bits of information, or variance of the labels. */
  merit: number;
}

/** When a leaf splits. */
export interface SplitRules {
  readonly delta: number;
  readonly tieThreshold: number;
}

/** The merit of a split that does not exist. */
const NONE = Number.NEGATIVE_INFINITY;

/** Keeps the best of the splits that are offered, feature by feature. */
export class SplitSearch {
  /** The best split of the feature in hand, and of all. */
  private readonly own: Split = { coordinate: 0, threshold: 0, merit: NONE };
  readonly best: Split = { coordinate: 0, threshold: 0, merit: NONE };
  private second = NONE;

  /** Forgets all splits. */
  begin(): void {
    this.own.merit = NONE;
    this.best.merit = NONE;
    this.second = NONE;
  }

  /** Offers a split on the feature in hand, and says whether it is its best one. */
  offer(coordinate: number, threshold: number, merit: number): boolean {
    const { own } = this;
    if (!(merit > own.merit)) return false;
    own.coordinate = coordinate;
    own.threshold = threshold;
    own.merit = merit;
    return true;
  }

  /** Goes on to the next feature, and says whether the best split of the last one is the best of all. */
  next(): boolean {
    const { own, best } = this;
    const { merit } = own;
    own.merit = NONE;
    if (merit === NONE) return false;
    if (merit < best.merit) {
      this.second = Math.max(this.second, merit);
      return false;
    }
    this.second = best.merit;
    best.coordinate = own.coordinate;
    best.threshold = own.threshold;
    best.merit = merit;
    return true;
  }

  get hasFound(): boolean {
    return this.best.merit > NONE;
  }

  /** The merit of the best split on another feature than that of the best one; that of no split, 0, where there is none. */
  get secondMerit(): number {
    return this.second === NONE ? 0 : this.second;
  }
}

/**
 * How far the mean of so many rows is from that of all rows to come, at most, with probability `1 - delta`: in units of the range
 * of a row. Source: Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58 (1963).
 */
export const hoeffdingBound = (delta: number, rows: number): number => Math.sqrt(Math.log(1 / delta) / (2 * rows));
