import { MillraceError } from '../core/errors.js';
import type { SinkContext } from '../core/sink.js';

/** The error of a sink whose target was written by a later incarnation of the topology. */
export const fencedBy = ({ step, incarnation }: Pick<SinkContext, 'step' | 'incarnation'>): MillraceError =>
  new MillraceError('fenced', `incarnation ${incarnation} writes after a newer one has written`, {
    where: step,
    hint: 'another process runs this topology from a later restore: stop this one',
  });
