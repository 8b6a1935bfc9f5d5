import { MillraceError } from '../core/errors.js';
import type { SinkContext } from '../core/sink.js';

/** For hints that advise to start from scratch: checkpoints are gone then, and fences are not. */
export const ALSO_FENCES =
  'if the topology writes to Redis or Postgres, remove its fences there as well: they skip records whose offsets they know';

/** The error of a sink whose target was written by a later incarnation of the topology. */
export const fencedBy = ({ step, incarnation }: Pick<SinkContext, 'step' | 'incarnation'>): MillraceError =>
  new MillraceError('fenced', `incarnation ${incarnation} writes after a newer one has written`, {
    where: step,
    hint: 'another process runs this topology from a later restore: stop this one',
  });

/**
 * The error of a target that has a fence of a task without a checkpoint.
 *
 * @param remove the command that removes the fences of the topology
 */
export const unknownFence = ({ task, step }: SinkContext, where: string, remove: string): MillraceError =>
  new MillraceError(
    'config',
    `task ${task.partition} of '${task.topology}' has no checkpoint, but a fence of ${step}`,
    {
      where,
      hint:
        'the fence is of checkpoints that are gone, and would skip new records as repeated ones: restore the checkpoints, or give the ' +
        `topology another name, or remove what it wrote and its fences: ${remove}`,
      permanent: true,
    },
  );
