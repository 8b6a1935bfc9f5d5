import type { Settings } from '../../core/operator.js';

/**
 * Turns the probabilities of a model into ones that happen as often as they say, and learns how from labels: inert data. Its state is
 * numbers, all 0 at the beginning, when it changes nothing.
 */
export interface Calibrator {
  readonly kind: string;
  readonly settings: Settings;
  /** The settings that say what its numbers mean. */
  readonly structure?: Settings;
  readonly size: number;
  /** Opens it on its numbers. */
  open(values: Float64Array): CalibratorLogic;
}

/** A calibrator at work. */
export interface CalibratorLogic {
  /** The probability that the label is true, by what the model says. Changes nothing. */
  calibrate(said: number): number;
  /** Learns that a label of this weight followed what the model had said. */
  learn(said: number, isTrue: boolean, weight: number): void;
  /** The numbers were replaced. */
  refresh?(): void;
}
