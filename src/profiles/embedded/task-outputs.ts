import type { TaskId } from '../../core/checkpoint.js';
import { MillraceError, type OutgoingRecord } from '../../core/index.js';
import { getOrInsert } from '../../util/maps.js';
import type { HashWrites } from './hashes.js';
import { BlobWriter } from './record-blob.js';

/** What the sinks of one owner of a task wrote since its last checkpoint: it becomes visible with the next one. */
export class TaskOutputs {
  fenced = false;
  private readonly appends = new Map<string, Map<number, BlobWriter>>();
  readonly hashes: HashWrites = new Map();
  /** By source step id: what positions of the checkpoint are positions in. Those of sources that left stay. */
  private readonly topics = new Map<string, string>();

  constructor(private readonly task: TaskId) {}

  /** @throws MillraceError `fenced` where another owner has taken the task. */
  mustOwn(): void {
    if (!this.fenced) return;
    throw new MillraceError('fenced', `task ${this.task.topology}/${this.task.partition} has another owner now`, {
      hint: 'close this task; its new owner continues from the last checkpoint',
    });
  }

  /** Restores the outputs of the checkpoint. */
  restoreTopics(topics: Readonly<Record<string, string>>): void {
    for (const [step, topic] of Object.entries(topics)) this.topics.set(step, topic);
  }

  /** @throws MillraceError `source` where the step's position was one in another topic. */
  addInput(step: string, topic: string): void {
    const restored = this.topics.get(step) ?? topic;
    if (restored !== topic) {
      throw new MillraceError('source', `source '${step}' now reads '${topic}', its position is in '${restored}'`, {
        where: step,
        hint: 'positions belong to step ids: give the source a new id to read the new topic from its start',
        permanent: true,
      });
    }
    this.topics.set(step, topic);
  }

  get inputTopics(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.topics);
  }

  append(topic: string, partition: number, { key, value, timestampMs, headers }: OutgoingRecord): void {
    const writer = getOrInsert(getOrInsert(this.appends, topic, noWriters), partition, newWriter);
    writer.append(key, value, timestampMs, headers);
  }

  *takeAppends(): Generator<{ topic: string; partition: number; blobs: ReturnType<BlobWriter['take']> }> {
    for (const [topic, writers] of this.appends)
      for (const [partition, writer] of writers) {
        const blobs = writer.take();
        if (blobs.length > 0) yield { topic, partition, blobs };
      }
  }
}

const noWriters = () => new Map<number, BlobWriter>();
const newWriter = () => new BlobWriter();

/** Who owns which task in this process. */
export class TaskOwners {
  private readonly outputs = new Map<string, TaskOutputs>();

  /** Fences the owner so far, whose uncommitted outputs are dropped with it. */
  takeOver(task: TaskId): TaskOutputs {
    const key = keyOf(task);
    const earlier = this.outputs.get(key);
    if (earlier !== undefined) earlier.fenced = true;
    const outputs = new TaskOutputs(task);
    this.outputs.set(key, outputs);
    return outputs;
  }

  /** Notes the topic of a source that opens; of one that no task reads for, nothing is kept. */
  addInput(task: TaskId, step: string, topic: string): void {
    this.outputs.get(keyOf(task))?.addInput(step, topic);
  }

  /** The outputs of the present owner, for a sink that opens. */
  current(task: TaskId): TaskOutputs {
    const outputs = this.outputs.get(keyOf(task));
    if (outputs !== undefined) return outputs;
    throw new MillraceError('internal', `task ${keyOf(task)} writes to the embedded store without its ledger`, {
      hint: 'restore the ledger of the task before its sinks open; both must belong to this store',
    });
  }
}

const keyOf = ({ topology, partition }: TaskId): string => `${topology}/${partition}`;
