import { isUsable, type Labelled } from '../labelled.js';

/** A predicted number and the number that came. */
export type NumberRow = Labelled<number, number>;

/** Prediction minus label; NaN for a row that cannot be used. */
export const errorOf = ({ prediction, label }: NumberRow): number =>
  isUsable(prediction) && isUsable(label) ? prediction - label : Number.NaN;
