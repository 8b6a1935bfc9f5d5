import { requireNotNegative, requirePositive } from '../check-options.js';

/** A learning rate that depends on the number of the update, as inert data. */
export interface Schedule {
  readonly name: string;
  readonly settings: Readonly<Record<string, number>>;
  /** The rate of an update by its number, from 1. */
  rateAt(step: number): number;
}

/** A constant learning rate, or a schedule. */
export type Rate = number | Schedule;

/**
 * A rate that falls with a power of the number of updates: `rate / step ** power`.
 *
 * Source: `learning_rate='invscaling'` of scikit-learn's SGD.
 *
 * @example sgd({ rate: inverseScaling({ rate: 0.5, power: 0.25 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function inverseScaling({ rate, power = 0.5 }: { readonly rate: number; readonly power?: number }): Schedule {
  requirePositive('inverseScaling', { rate });
  requireNotNegative('inverseScaling', { power });
  return Object.freeze({
    name: 'inverse-scaling',
    settings: Object.freeze({ rate, power }),
    rateAt: (step: number) => rate / step ** power,
  });
}

/**
 * A rate that halves every so many updates, down to a floor.
 *
 * @example sgd({ rate: exponentialDecay({ rate: 0.5, halfLife: 10_000, floor: 0.01 }) });
 * @throws MillraceError `config` where an option is out of range
 */
export function exponentialDecay(options: {
  readonly rate: number;
  /** Updates until the rate is half. */
  readonly halfLife: number;
  /** The rate never falls below it: 0 by default. */
  readonly floor?: number;
}): Schedule {
  const { rate, halfLife, floor = 0 } = options;
  requirePositive('exponentialDecay', { rate, halfLife });
  requireNotNegative('exponentialDecay', { floor });
  return Object.freeze({
    name: 'exponential-decay',
    settings: Object.freeze({ rate, halfLife, floor }),
    rateAt: (step: number) => Math.max(floor, rate * 2 ** (-(step - 1) / halfLife)),
  });
}

/** Checks a rate and makes it a function of the number of the update. */
export function rateOf(where: string, rate: Rate): (step: number) => number {
  if (typeof rate === 'object') return rate.rateAt;
  requirePositive(where, { rate });
  return () => rate;
}

/** A rate as `describe` shows it. */
export const rateSettings = (rate: Rate): Record<string, number | string> =>
  typeof rate === 'number' ? { rate } : { schedule: rate.name, ...rate.settings };
