import { type Checkpoint, MillraceError, OTHER_SETTINGS, type TaskId, type TopologyVersion } from '../core/index.js';
import { counted } from '../util/counted.js';
import { hasState, layoutChanges, layoutOf, stepsOfOtherSettings } from './hash.js';
import type { Topology } from './topology.js';

interface Running {
  readonly topology: Topology;
  /** How many tasks there are of it. */
  readonly tasks: number;
  readonly version: TopologyVersion;
}

/**
 * Whether a run may go on from a checkpoint that may be of another version of the topology.
 *
 * @throws MillraceError `state` where its state is that of another number of tasks; `config` where it is of other sources or
 * stateful steps and nobody has accepted that.
 */
export function mustFit(checkpoint: Checkpoint, task: TaskId, running: Running): void {
  const where = `${running.topology.name}/${task.partition}`;
  mustBeOneOfAsMany(checkpoint, where, running);
  mustHaveLayout(checkpoint, where, running);
}

/** Records of a key go elsewhere with another number of partitions: its state must have gone there before. */
function mustBeOneOfAsMany(checkpoint: Checkpoint, where: string, { topology, tasks }: Running): void {
  if (checkpoint.tasks === undefined || checkpoint.tasks === tasks) return;
  if (!hasState(topology)) return;
  throw new MillraceError(
    'state',
    `its state is that of one of ${counted(checkpoint.tasks, 'task')}, the inputs have ${counted(tasks, 'partition')}`,
    {
      where,
      hint: 'keys have moved to other partitions: run millrace savepoint create, then savepoint restore --rescale',
      permanent: true,
    },
  );
}

/** Another version of a topology that runs for a moment must not skip records or leave state behind unseen. */
function mustHaveLayout({ layout }: Checkpoint, where: string, { topology, version }: Running): void {
  if (layout === undefined || version.accepted) return;
  const now = layoutOf(topology);
  const changes = layoutChanges(layout, now);
  if (changes.length === 0) return;
  const list = changes.map((line) => `  ${line}`).join('\n');
  const unreadable = stepsOfOtherSettings(layout, now);
  if (unreadable.length > 0) {
    const message = `the stored state of ${unreadable.join(', ')} was made with other settings, such as windows or features:\n${list}`;
    throw new MillraceError('state', message, { where, hint: OTHER_SETTINGS, permanent: true });
  }
  throw new MillraceError('config', `sources or stateful steps differ from those of the checkpoint:\n${list}`, {
    where,
    hint: `millrace plan shows what a run would do with positions and state; run --accept-plan ${version.hash} does it`,
    permanent: true,
  });
}
