/** Numbers beyond it in size are no measurements: their squares and products, and sums of these, are finite up to it. */
export const NUMBER_MAX = 1e50;

/** Weights beyond it are no counts of rows: beside them, a row that counts once would vanish in a sum. */
const WEIGHT_MAX = 1e12;

/** Whether what is learnt can take in a number. NaN, infinities and what is beyond 1e50 would stay in sums and squares for good. */
export const isMeasurable = (x: unknown): x is number => typeof x === 'number' && Math.abs(x) <= NUMBER_MAX;

/** Whether a row may count so often: above 0, and 1e12 at most. */
export const isWeight = (weight: number): boolean => weight > 0 && weight <= WEIGHT_MAX;
