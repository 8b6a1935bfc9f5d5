import type { FeatureNumbers } from '../../../core/learner.js';
import { type Float64Cell, float64Cell } from '../../../state/index.js';

/** Before the rows: how many were learnt. */
const HEAD = 1;
/** Of a row: its label, its weight and its features. */
const LABEL = 0;
const WEIGHT = 1;
const FEATURES = 2;

export interface WindowCells {
  readonly rows: ReturnType<typeof float64Cell>;
  readonly [name: string]: ReturnType<typeof float64Cell>;
}

/** The cells of a window of so many rows. */
export const windowCells = (window: number, denseSize: number): WindowCells => ({
  rows: float64Cell({ size: HEAD + window * (FEATURES + denseSize) }),
});

/** The newest rows with their labels, and which of them are nearest to another one. The oldest row gives way to a new one. */
export class RowWindow {
  /** What was found last, the nearest first: how far away each is, its label, and its weight, which may be changed. */
  readonly distances: Float64Array;
  readonly labels: Float64Array;
  readonly votes: Float64Array;
  private readonly indices: Int32Array;
  private readonly width: number;

  constructor(
    private readonly cell: Float64Cell,
    private readonly window: number,
    private readonly denseSize: number,
    private readonly neighbors: number,
  ) {
    this.width = FEATURES + denseSize;
    this.distances = new Float64Array(neighbors);
    this.labels = new Float64Array(neighbors);
    this.votes = new Float64Array(neighbors);
    this.indices = new Int32Array(neighbors);
  }

  add({ dense }: FeatureNumbers, label: number, weight: number): void {
    const { cell, width } = this;
    const { values } = cell;
    const learnt = values[0] as number;
    const at = HEAD + (learnt % this.window) * width;
    values[0] = learnt + 1;
    values[at + LABEL] = label;
    values[at + WEIGHT] = weight;
    for (let i = 0; i < this.denseSize; i++) values[at + FEATURES + i] = dense[i] as number;
    cell.touch(0);
    for (let i = 0; i < width; i++) cell.touch(at + i);
  }

  /** Finds the nearest rows by the Euclidean distance, and returns how many there are. Of rows as near, the older come first. */
  find({ dense }: FeatureNumbers): number {
    const { window, width, distances, indices, denseSize, neighbors } = this;
    const { values } = this.cell;
    const learnt = values[0] as number;
    const rows = Math.min(learnt, window);
    const oldest = learnt > window ? learnt % window : 0;
    let found = 0;
    for (let age = 0, index = oldest; age < rows; age++, index = index + 1 === window ? 0 : index + 1) {
      const at = HEAD + index * width;
      const most = found < neighbors ? Number.POSITIVE_INFINITY : (distances[found - 1] as number);
      let sum = 0;
      for (let i = 0; i < denseSize && sum < most; i++) {
        const off = (dense[i] as number) - (values[at + FEATURES + i] as number);
        sum += off * off;
      }
      if (sum >= most) continue;
      if (found < neighbors) found++;
      let n = found - 1;
      for (; n > 0 && (distances[n - 1] as number) > sum; n--) {
        distances[n] = distances[n - 1] as number;
        indices[n] = indices[n - 1] as number;
      }
      distances[n] = sum;
      indices[n] = index;
    }
    for (let n = 0; n < found; n++) {
      const at = HEAD + (indices[n] as number) * width;
      distances[n] = Math.sqrt(distances[n] as number);
      this.labels[n] = values[at + LABEL] as number;
      this.votes[n] = values[at + WEIGHT] as number;
    }
    return found;
  }
}
