import { ALSO_FENCES } from '../../../src/connect/fenced.js';
import { type Checkpoint, EARLIEST, type RestoredTask, type TaskLedger } from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import type { StateChange } from '../../../src/core/state.js';
import type { GroupOffsets } from '../group/group-offsets.js';
import type { GroupOffset } from '../transaction.js';
import { changeRecord, checkpointRecord, type StoredCheckpoint } from './changelog.js';
import type { Restorer } from './restorer.js';
import type { TaskSession } from './task-session.js';

/**
 * The ledger of one task on Kafka. State and checkpoint are in the task's partition of a compacted changelog topic. They are
 * written in the transaction that also holds the output of the task's Kafka sinks and its group offsets, so outputs, state and
 * positions are committed together or not at all.
 *
 * After a failed commit it refuses further use: open the task again, which reads the committed state.
 */
export class KafkaLedger implements TaskLedger {
  private state: 'opened' | 'restored' | 'failed' | 'closed' = 'opened';
  private failure: unknown;

  constructor(
    private readonly groupOffsets: GroupOffsets,
    private readonly session: TaskSession,
    private readonly restorer: Restorer,
  ) {}

  async restore(): Promise<RestoredTask> {
    const { session } = this;
    this.must('opened');
    await session.transaction.begin();
    const { stored, state } = await this.restorer.read(session.task, session.names.changelog);
    await this.compareOffsets(stored);
    session.restoredInputs = stored?.inputs ?? {};
    this.state = 'restored';
    return { checkpoint: stored?.checkpoint, state };
  }

  async commit(checkpoint: Checkpoint, changes: readonly StateChange[]): Promise<void> {
    this.must('restored');
    const { transaction, names, task, restoredInputs } = this.session;
    // With a source that left, its position and its topic stay: where it comes back, both must fit.
    const inputs = { ...restoredInputs, ...Object.fromEntries(this.session.inputs) };
    try {
      const nowMs = Date.now();
      const record = checkpointRecord({ checkpoint, inputs }, nowMs);
      for (const change of changes) transaction.add(names.changelog, task.partition, changeRecord(change, nowMs));
      transaction.add(names.changelog, task.partition, record);
      await transaction.commit(this.offsetsOf(checkpoint));
    } catch (error) {
      this.state = 'failed';
      this.failure = error;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (this.state === 'closed') return;
    this.state = 'closed';
    await this.session.close();
  }

  private must(state: KafkaLedger['state']): void {
    if (this.state === state) return;
    // A fenced task stays fenced, and its error should say so.
    if (this.failure instanceof MillraceError && this.failure.code === 'fenced') throw this.failure;
    throw new MillraceError('state', `the ledger is ${this.state}, not ${state}`, {
      where: this.session.names.transactionalId,
      hint: 'reopen the task: only the log knows what was committed',
      cause: this.failure,
    });
  }

  private offsetsOf({ positions }: Checkpoint): GroupOffset[] {
    const { inputs, task } = this.session;
    return Object.entries(positions).flatMap(([step, { offset }]) => {
      const topic = inputs.get(step)?.topic;
      // Inputs of other connectors have no offsets here; one that was never read has none yet.
      return topic === undefined || offset === EARLIEST ? [] : [{ topic, partition: task.partition, offset }];
    });
  }

  /** Group offsets that differ were changed by a user: neither they nor the checkpoint can be trusted alone. */
  private async compareOffsets(stored: StoredCheckpoint | undefined): Promise<void> {
    const { names, task } = this.session;
    const { partition } = task;
    const committed = await this.groupOffsets.of(names.group, partition);
    if (!stored) {
      const stray = committed[0];
      if (!stray) return;
      throw new MillraceError(
        'state',
        `group '${names.group}' has read ${stray.topic}/${partition} but has no checkpoint`,
        {
          where: `${names.changelog}/${partition}`,
          hint: `the changelog was deleted: restore it, or delete the group as well to start from scratch (kafka-consumer-groups --delete); ${ALSO_FENCES}`,
          permanent: true,
        },
      );
    }
    for (const [step, { topic }] of Object.entries(stored.inputs)) {
      const expected = stored.checkpoint.positions[step]?.offset ?? EARLIEST;
      const found = committed.find((each) => each.topic === topic)?.offset;
      if (found === undefined || expected === EARLIEST || found === expected) continue;
      throw new MillraceError(
        'state',
        `group '${names.group}' stands at ${found} of ${topic}/${partition}, the checkpoint at ${expected}`,
        {
          where: `${names.changelog}/${partition}`,
          hint: `the state belongs to its offsets: restore the offsets, or delete group and changelog to start from scratch; ${ALSO_FENCES}`,
          permanent: true,
        },
      );
    }
  }
}
