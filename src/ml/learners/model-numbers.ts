import type { CellSpec } from '../../core/state.js';
import { type Float64Cell, float64Cell } from '../../state/index.js';

/** Numbers in a block of a small model; those of a large one have a multiple of it. */
export const BLOCK = 256;
const LARGE_BLOCK = 4_096;
const LARGE_FROM = 2 ** 16;

/**
 * The cell of a model's numbers. When a large model is written almost all of its blocks have changed, and a store takes the same bytes
 * in half the time if they are in few blocks.
 */
export const modelNumbers = (size: number): CellSpec<Float64Cell> =>
  size < LARGE_FROM ? float64Cell({ size, block: BLOCK }) : float64Cell({ size, block: LARGE_BLOCK, version: 2 });
