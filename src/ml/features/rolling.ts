import { type Duration, formatDuration } from '../../core/duration.js';
import { MillraceError } from '../../core/errors.js';
import type { RollingFeature } from './feature.js';

/** What `rolling` averages, for which groups, and how fast it forgets. */
export interface RollingOptions<K extends string, V extends string> {
  /** The column that names the group; without it the whole task is one group. */
  readonly by?: K;
  /** Which of the view's outcome values is averaged. */
  readonly value: V;
  /** After this much event time an outcome counts half as much. */
  readonly halfLife: Duration;
  /** Values beyond are taken as these. */
  readonly clip?: readonly [min: number, max: number];
  /** What the mean is while little is known; 0 by default. */
  readonly prior?: number;
  /** How many fresh outcomes the prior is worth; 1 by default. */
  readonly priorWeight?: number;
  /** What becomes 0; the prior by default. */
  readonly center?: number;
  /** What becomes 1 above the center; 1 by default. */
  readonly scale?: number;
}

/**
 * The recent mean of what became of earlier rows: each outcome enters its row's group when it *arrives* (never before),
 * and fades with event time by `halfLife`. The view's `outcome` says how outcomes find their rows.
 *
 * Being fed by outcomes that have arrived, it can be no leak of the label; a mean over rows that merely started would be.
 *
 * @example rolling({ by: 'origin', value: 'delay', halfLife: hours(3), clip: [-30, 180], prior: 10, scale: 30 });
 * @throws MillraceError `config` where an option is out of range
 */
export function rolling<const K extends string = never, const V extends string = never>(
  options: RollingOptions<K, V>,
): RollingFeature<K, V> {
  const { by, value, halfLife, clip = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } = options;
  const { prior = 0, priorWeight = 1, center = prior, scale = 1 } = options;
  if (!(halfLife > 0 && priorWeight > 0 && clip[0] < clip[1] && scale !== 0)) {
    throw new MillraceError(
      'config',
      `rolling: half-life ${formatDuration(halfLife)}, prior weight ${priorWeight}, clip ${clip}, scale ${scale}`,
      {
        where: 'rolling',
        hint: 'half-life and prior weight must be above 0, clip must ascend, scale must not be 0',
      },
    );
  }
  return Object.freeze({
    part: 'rolling',
    kind: 'rolling',
    by,
    value,
    halfLifeMs: halfLife,
    clip: Object.freeze([clip[0], clip[1]] as const),
    prior,
    priorWeight,
    center,
    scale,
  });
}
