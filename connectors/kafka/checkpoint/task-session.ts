import type { TaskId } from '../../../src/core/checkpoint.js';
import { MillraceError } from '../../../src/core/errors.js';
import type { TaskLease } from '../group/task-lease.js';
import type { Transaction } from '../transaction.js';
import type { InputTopic } from './changelog.js';

/** The names of a topology's tasks on a cluster. */
export interface TaskNames {
  readonly transactionalId: string;
  readonly group: string;
  readonly changelog: string;
}

export const namesOf = (prefix: string, { topology, partition }: TaskId): TaskNames => ({
  transactionalId: `${prefix}.${topology}.${partition}`,
  group: `${prefix}.${topology}`,
  // Sub-topologies are named TOPOLOGY/INPUT. Topic names cannot contain a slash, and topology names cannot contain two dots.
  changelog: `${prefix}.${topology.replace('/', '..')}.changelog`,
});

/** What the ledger, sinks and inputs of one open task share, such as its transaction. */
export class TaskSession {
  /** By source step id, as opened. */
  readonly inputs = new Map<string, InputTopic>();
  /** By source step id, as in the checkpoint. */
  restoredInputs: Readonly<Record<string, InputTopic>> = {};

  constructor(
    readonly task: TaskId,
    readonly names: TaskNames,
    readonly transaction: Transaction,
    private readonly onClosed: () => void,
  ) {}

  /** @throws MillraceError `source` if the step's position refers to another topic. */
  addInput(step: string, input: InputTopic): void {
    const restored = this.restoredInputs[step];
    if (restored && restored.topic !== input.topic) {
      throw new MillraceError(
        'source',
        `source '${step}' now reads '${input.topic}', its position is in '${restored.topic}'`,
        {
          where: step,
          hint: 'positions belong to step ids: give the source a new id to read the new topic from its start',
          permanent: true,
        },
      );
    }
    if (restored && restored.topicId !== input.topicId) {
      throw new MillraceError(
        'source',
        `topic '${input.topic}' was deleted and created again since the last checkpoint`,
        {
          where: step,
          hint: 'its offsets start again at 0: give the source a new id to read it from the start, or reset the topology',
          permanent: true,
        },
      );
    }
    this.inputs.set(step, input);
  }

  async close(): Promise<void> {
    this.onClosed();
    await this.transaction.close();
  }
}

/** The open tasks of this process, the newest session of each. An older session is fenced, and stays open until it is closed. */
export class TaskSessions {
  private readonly newest = new Map<string, TaskSession>();
  private readonly open = new Set<TaskSession>();

  constructor(
    private readonly prefix: string,
    private readonly begin: (names: TaskNames, lease: TaskLease | undefined) => Transaction,
  ) {}

  create(task: TaskId, lease: TaskLease | undefined): TaskSession {
    const names = namesOf(this.prefix, task);
    const key = names.transactionalId;
    const session: TaskSession = new TaskSession(task, names, this.begin(names, lease), () => {
      this.open.delete(session);
      if (this.newest.get(key) === session) this.newest.delete(key);
    });
    this.newest.set(key, session);
    this.open.add(session);
    return session;
  }

  /** The session of a task whose ledger is open. */
  of(task: TaskId): TaskSession | undefined {
    return this.newest.get(namesOf(this.prefix, task).transactionalId);
  }

  async close(): Promise<void> {
    await Promise.all([...this.open].map((session) => session.close()));
  }
}
