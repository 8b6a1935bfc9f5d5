import {
  type Checkpoint,
  MillraceError,
  type RestoredTask,
  type StateChange,
  type TaskLedger,
} from '../../core/index.js';
import { END_DECISION, END_TOPIC } from '../../runtime/end-of-run.js';
import { CLOCK_DECISION, CLOCK_TOPIC } from '../../runtime/ticks.js';
import type { Chaos } from './chaos.js';
import type { Random } from './random.js';
import type { SimProcess } from './sim-process.js';

/** The stored state of a task. */
export interface StoredTask {
  checkpoint: Checkpoint | undefined;
  readonly state: Map<string, StateChange>;
  owner: SimSession | undefined;
  /** The process that stored the checkpoint. */
  writer: SimProcess | undefined;
}

/** What an owner finds: by whom the checkpoint was stored, and the versions of its state by `step/cell`. */
export interface Found {
  readonly writer: SimProcess;
  readonly cells: ReadonlyMap<string, number>;
}

/** The versions of a task's state, by `step/cell`. */
export const cellsIn = ({ state }: StoredTask): Found['cells'] =>
  new Map([...state.values()].map(({ step, cell, version }) => [`${step}/${cell}`, version]));

/** The ledger of all tasks of a sub-topology. A restore takes the task over: later commits of its earlier owner are refused. */
export class SimLedger {
  readonly tasks: readonly StoredTask[];

  constructor(
    partitions: number,
    private readonly chaos: Chaos,
    private readonly random: Random,
    /** The id of the source that reads a topic. */
    private readonly sourceOf: (topic: string) => string,
    private readonly onStored: (partition: number) => void,
  ) {
    this.tasks = Array.from({ length: partitions }, () => ({
      checkpoint: undefined,
      state: new Map(),
      owner: undefined,
      writer: undefined,
    }));
  }

  open(partition: number, process: SimProcess): SimSession {
    const { chaos, random, sourceOf, onStored } = this;
    return new SimSession(partition, process, this.tasks[partition] as StoredTask, chaos, random, sourceOf, () =>
      onStored(partition),
    );
  }
}

/** One owner's session of a task, with the writes of its transactional sinks since the last commit. */
export class SimSession implements TaskLedger {
  readonly pending: (() => void)[] = [];
  /** Unanswered writes of this owner's sinks. */
  outstanding = 0;
  /** What it found; nothing where there was no checkpoint. */
  found: Found | undefined;

  constructor(
    readonly partition: number,
    readonly process: SimProcess,
    private readonly stored: StoredTask,
    private readonly chaos: Chaos,
    private readonly random: Random,
    private readonly sourceOf: (topic: string) => string,
    private readonly onStored: () => void,
  ) {}

  async restore(): Promise<RestoredTask> {
    await this.process.reach('before restore');
    this.stored.owner = this;
    const { checkpoint, state, writer } = this.stored;
    this.found = writer && { writer, cells: cellsIn(this.stored) };
    // Copies, because the bytes belong to the cells. Newest first: cells must not rely on an order.
    const copies = [...state.values()].reverse().map((change) => ({ ...change, bytes: change.bytes?.slice() ?? null }));
    this.chaos.tell(`${this.process.name} owns task ${this.partition} from epoch ${checkpoint?.epoch ?? 0}`);
    await this.process.reach('after restore');
    return { checkpoint, state: copies };
  }

  async commit(checkpoint: Checkpoint, changes: readonly StateChange[]): Promise<void> {
    const where = `${this.process.name} task ${this.partition} epoch ${checkpoint.epoch}`;
    await this.process.reach('before ledger commit');
    if (this.stored.owner !== this) {
      this.chaos.tell(`${where} is fenced`);
      this.pending.length = 0;
      throw new MillraceError('fenced', `another owner took task ${this.partition}`);
    }
    if (this.outstanding > 0) this.chaos.violated(`${where} is stored while ${this.outstanding} writes are under way`);
    if (this.chaos.strikes('unknown', where)) {
      const happened = this.random.chance(0.5);
      this.chaos.tell(`${where} ${happened ? 'happened' : 'did not happen'}, but the caller got an error`);
      if (happened) this.store(checkpoint, changes);
      this.pending.length = 0;
      await this.process.reach('after ledger commit of unknown outcome');
      throw new MillraceError('state', 'the commit was not answered');
    }
    this.store(checkpoint, changes);
    await this.process.reach('after ledger commit');
  }

  /** Whether a checkpoint covers this record, processing-time tick, or end of time. */
  isStored(topic: string, offset: number): boolean {
    const decision = topic === CLOCK_TOPIC ? CLOCK_DECISION : topic === END_TOPIC ? END_DECISION : undefined;
    if (decision !== undefined) return offset <= Number(this.stored.checkpoint?.settledDecisions[decision] ?? -1);
    return offset < (this.stored.checkpoint?.positions[this.sourceOf(topic)]?.offset ?? 0);
  }

  async close(): Promise<void> {
    this.pending.length = 0;
    await this.process.reach('ledger close');
  }

  private store(checkpoint: Checkpoint, changes: readonly StateChange[]): void {
    const before = this.stored.checkpoint;
    if (checkpoint.epoch !== (before?.epoch ?? 0) + 1)
      this.chaos.violated(`task ${this.partition} stores epoch ${checkpoint.epoch} after ${before?.epoch ?? 0}`);
    for (const [source, { offset }] of Object.entries(before?.positions ?? {}))
      if ((checkpoint.positions[source]?.offset ?? -1) < offset)
        this.chaos.violated(
          `task ${this.partition} goes back in ${source} to ${checkpoint.positions[source]?.offset} from ${offset}`,
        );
    this.stored.checkpoint = checkpoint;
    this.stored.writer = this.process;
    for (const change of changes) {
      const key = `${change.step}/${change.cell}/${change.bucket}`;
      if (change.bytes === null) this.stored.state.delete(key);
      else this.stored.state.set(key, change); // the ledger owns the bytes: a cell that still writes to them corrupts the checkpoint
    }
    for (const publish of this.pending.splice(0)) publish();
    this.onStored();
  }
}
