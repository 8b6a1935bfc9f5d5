export interface Row {
  readonly id: number;
  /** What its features are made of; few, so that rows repeat. */
  readonly from: number;
}

/** Without a fault, in a memory that does not hold all models, or with workers that are killed. */
export type How = 'undisturbed' | 'evictions' | 'kills';

/** What a run has been through. */
export interface Happened {
  readonly kills: number;
  readonly lost: number;
  readonly evictions: number;
  readonly hits: number;
  readonly rows: number;
}

export const WIDTH = 16;
const UNITS = 600;
export const layers = [WIDTH, UNITS, UNITS, 2];
export const MODEL_BYTES = 4 * UNITS * UNITS;
