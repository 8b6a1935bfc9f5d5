import type { Moves, UpdateRule } from './optimizer.js';

/** How AdaGrad and RMSProp weigh a coordinate's squared gradients: `kept` of those before, `taken` of the new one. */
export interface Squares {
  readonly kept: number;
  readonly taken: number;
  readonly epsilon: number;
}

/** A step along the gradient, divided by the root of the squared gradients, which lie beside the weight. */
export const scaledBySquares = (
  rateAt: (step: number) => number,
  { kept, taken, epsilon }: Squares,
  l2: number,
): UpdateRule =>
  Object.freeze({
    weight: (state: Float64Array, at: number) => state[at] as number,
    update({ state, from, stride, weights, coordinates, inputs, slope, count, step }: Moves) {
      const rate = rateAt(step);
      for (let i = 0; i < count; i++) {
        const coordinate = coordinates[i] as number;
        const at = from + coordinate * stride;
        const weight = weights[coordinate] as number;
        const g = slope * (inputs[i] as number) + l2 * weight;
        const squares = kept * (state[at + 1] as number) + taken * g * g;
        state[at + 1] = squares;
        const moved = weight - (rate / Math.sqrt(squares + epsilon)) * g;
        state[at] = moved;
        weights[coordinate] = moved;
      }
    },
  });
