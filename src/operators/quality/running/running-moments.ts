import { type Float64Cell, float64Cell } from '../../../state/index.js';
import { MOMENTS_SIZE, nextMeanOfAnySize, squaredDistance } from '../../../util/moments.js';

/** The cell of a `RunningMoments`: count, mean, sum of squared distances. */
export const momentsCell = () => float64Cell({ size: MOMENTS_SIZE, block: 4 });

/** Mean and standard deviation (the population's) of all values so far, by Welford's update. Only the cell is state. */
export class RunningMoments {
  private readonly state: Float64Array & { 0: number; 1: number; 2: number };

  constructor(private readonly cell: Float64Cell) {
    this.state = cell.values as RunningMoments['state'];
  }

  get count(): number {
    return this.state[0];
  }

  get mean(): number {
    return this.state[1];
  }

  /** 0 while all values are equal. */
  get deviation(): number {
    return this.state[2] > 0 ? Math.sqrt(this.state[2] / this.state[0]) : 0;
  }

  /** Takes a number that can be measured: the squares of others would not be finite. */
  add(value: number): void {
    const { state } = this;
    const before = state[1];
    state[0]++;
    state[1] = nextMeanOfAnySize(before, value, state[0]);
    state[2] += squaredDistance(value, before, state[1]);
    this.cell.touch(0);
  }
}
