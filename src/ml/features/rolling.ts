import { type Duration, formatDuration } from '../../core/duration.js';
import { MillraceError } from '../../core/errors.js';
import type { RollingFeature } from './feature.js';

/** The outcome that `rolling` averages, its groups, and how fast it decays. */
export interface RollingOptions<K extends string, V extends string> {
  /** The column that names the group; without it the whole task is one group. */
  readonly by?: K;
  /** The outcome value of the view that is averaged. */
  readonly value: V;
  /** Event time after which the weight of an outcome is half. */
  readonly halfLife: Duration;
  /** Bounds to which values are clipped. Without them an absurd value rules the mean of its group for many half-lives. */
  readonly clip?: readonly [min: number, max: number];
  /** The mean of a group without outcomes; 0 by default. */
  readonly prior?: number;
  /** The weight of the prior, in outcomes; 1 by default. */
  readonly priorWeight?: number;
  /** The mean that becomes 0; the prior by default. */
  readonly center?: number;
  /** The distance from the center that becomes 1; 1 by default. */
  readonly scale?: number;
}

/**
 * A decayed mean of the outcomes of earlier rows. An outcome is added to the group of its row when it arrives, and its weight halves
 * after each `halfLife` of event time. The `outcome` of the view defines how outcomes match rows.
 *
 * It uses only outcomes that have arrived, so it cannot leak the label.
 *
 * @example rolling({ by: 'origin', value: 'delay', halfLife: hours(3), clip: [-30, 180], prior: 10, scale: 30 });
 * @throws MillraceError `config` if an option is out of range
 */
export function rolling<const K extends string = never, const V extends string = never>(
  options: RollingOptions<K, V>,
): RollingFeature<K, V> {
  const { by, value, halfLife, clip = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] } = options;
  const { prior = 0, priorWeight = 1, center = prior, scale = 1 } = options;
  if (!(halfLife > 0 && priorWeight > 0 && clip[0] < clip[1] && scale !== 0)) {
    throw new MillraceError(
      'config',
      `rolling: halfLife is ${formatDuration(halfLife)}, priorWeight is ${priorWeight}, clip is [${clip}], scale is ${scale}`,
      {
        where: 'rolling',
        hint: 'halfLife and priorWeight must be above 0, clip must ascend, scale must not be 0',
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
