import type {
  Checkpoint,
  Metric,
  Origin,
  Position,
  Profile,
  Services,
  Sink,
  SinkWriter,
  TaskId,
  TaskLedger,
} from '../core/index.js';
import {
  AFTER_ALL_MS,
  BEFORE_ALL_MS,
  EARLIEST,
  INTERNAL,
  type InternalSinkOptions,
  MillraceError,
} from '../core/index.js';
import { openCodec } from '../schema/index.js';
import { type Topology, topologyHash } from '../topology/index.js';
import type { Clock } from './clock.js';
import { DeferredSink } from './deferred-sink.js';
import { Input } from './input.js';
import { type EventTime, emptyShare, eventTimeOf, mergeRound, type Round } from './merge.js';
import { Outlet } from './outlet.js';
import type { Pace } from './pace.js';
import { Pipeline } from './pipeline.js';
import { Questions, type Reply } from './questions.js';
import { TaskState } from './state.js';
import type { Outbox } from './step-context.js';

/** Ids of the two sinks that belong to the topology itself; users' ids cannot start with `$`. */
export const DEAD_LETTERS = '$dead-letters';
export const METRICS = '$metrics';
/** The topic in the origin of what is emitted at the end of time. */
const END_TOPIC = '$end';

/** The points of an epoch that tests may stop or kill a process at, in order. */
export type EpochPoint = 'pushed' | 'drained' | 'prepared' | 'stored' | 'committed';

export interface TaskOptions {
  readonly topology: Topology;
  /** How many there are of this topology. */
  readonly tasks: number;
  readonly profile: Profile;
  readonly services: Services;
  readonly clock: Clock;
  /** End when every input's log has been read to where it ended at the start. */
  readonly bounded: boolean;
  /** Nothing will ever follow the end of bounded inputs: windows that are still open close there. */
  readonly final: boolean;
  readonly epochIntervalMs: number;
  /** Shift of the first epoch, so that tasks drain one after another. */
  readonly staggerMs: number;
  readonly inFlightMax: number;
  readonly roundMax: number;
  /** Shared by all tasks of a run. */
  readonly pace: Pace;
  onPoint(point: EpochPoint, task: number): void;
}

/** What can be seen of a task while it runs. */
export interface TaskSnapshot {
  /** The topology, or the stage of it, that the task belongs to. */
  readonly stage: string;
  readonly partition: number;
  readonly epoch: number;
  readonly positions: Readonly<Record<string, Position>>;
  readonly watermarkMs: number;
  readonly recordsInFlight: number;
  /** Cumulative; part of the checkpoint, so they go where the task goes. */
  readonly counters: readonly { readonly step: string; readonly name: string; readonly value: number }[];
}

/**
 * One group of co-partitioned input partitions, run alone: its own pipeline, state, ledger and epochs. Opened by
 * `Task.open`, which fences earlier owners and restores what they committed; then `run` until it ends or is stopped.
 */
export class Task {
  private stopping = false;
  private abandoned = false;
  private recordsSinceEpoch = 0;
  private readonly questions = new Questions();

  private constructor(
    readonly id: TaskId,
    private readonly options: TaskOptions,
    private readonly ledger: TaskLedger,
    private readonly inputs: readonly Input[],
    private readonly writers: readonly SinkWriter[],
    private readonly deferred: readonly DeferredSink[],
    private readonly metricsWriter: SinkWriter | undefined,
    private readonly state: TaskState,
    private readonly outbox: Outbox,
    readonly pipeline: Pipeline,
    private checkpoint: Checkpoint,
    /** The newest measurement of each name; for progress lines and pages. */
    readonly measures: Map<string, Metric>,
    private readonly time: EventTime,
    private readonly outlet: Outlet,
  ) {}

  static async open(id: TaskId, options: TaskOptions): Promise<Task> {
    const { topology, profile, clock } = options;
    const opened: { close(): Promise<void> }[] = [];
    const keep = <T extends { close(): Promise<void> }>(resource: T): T => {
      opened.push(resource);
      return resource;
    };
    try {
      const ledger = keep(await profile.openLedger(id));
      const restored = await ledger.restore();
      const state = new TaskState(restored.state);
      const checkpoint = restored.checkpoint ?? {
        epoch: 0,
        incarnation: 0,
        topologyHash: '',
        positions: {},
        choices: {},
      };
      const outbox: Outbox = { deadLetters: [], metrics: [] };

      // Where the clock may decide an order, a replay may decide otherwise: only a checkpoint settles it.
      const undecided = topology.sources.some(({ source }) => source.idleMax !== undefined);
      const deferred: DeferredSink[] = [];
      const openSink = async (step: string, sink: Sink<never>): Promise<SinkWriter> => {
        const driver = profile.sinks[sink.connector];
        if (!driver) throw noDriver(profile, sink.connector, step);
        if (sink.connector === INTERNAL && driver.mode !== 'transactional') throw notTransactional(profile, step);
        const writer = keep(
          await driver.open(sink as Sink<unknown>, { step, task: id, incarnation: checkpoint.incarnation }),
        );
        const rowsMax = sink.deferred?.rowsMax ?? (undecided ? DEFERRED_ROWS_MAX : undefined);
        if (rowsMax === undefined || driver.mode === 'transactional' || step === METRICS) return writer;
        const later = new DeferredSink(writer, rowsMax);
        state.adopt(step, 'rows', later);
        await later.recover();
        deferred.push(later);
        return later;
      };
      const writers = new Map<string, SinkWriter>();
      for (const { id: step, sink } of topology.sinks) writers.set(step, await openSink(step, sink));
      const deadLetters = await openSink(DEAD_LETTERS, topology.deadLetters as Sink<never>);
      const metrics = topology.metrics ? await openSink(METRICS, topology.metrics as Sink<never>) : undefined;

      const inputs: Input[] = [];
      for (const node of topology.sources) {
        const driver = profile.sources[node.source.connector];
        if (!driver) throw noDriver(profile, node.source.connector, node.id);
        const codec = await openCodec(node.source.schema, profile.schemas);
        const position = checkpoint.positions[node.id] ?? {
          offset: EARLIEST,
          mergeTimeMs: BEFORE_ALL_MS,
          suspectMs: null,
        };
        const reader = await driver.open(node.source, id, position.offset, options.bounded, node.id);
        inputs.push(keep(new Input(node, id.partition, reader, codec, () => clock.now(), position)));
      }
      const { services } = options;
      const time = eventTimeOf(inputs);
      const pipeline = keep(
        await Pipeline.open({
          topology,
          task: id.partition,
          counters: state.counters,
          state,
          services,
          writers,
          deadLetters,
          outbox,
          watermarkMs: time.watermarkMs,
          now: () => clock.now(),
        }),
      );
      const all = [...writers.values(), deadLetters];
      const between = topology.sinks.filter(({ sink }) => sink.connector === INTERNAL);
      const outlet = new Outlet(
        { task: id.partition, tasks: options.tasks },
        between.map(({ id: step }) => writers.get(step) as SinkWriter),
        between.map(({ sink }) => (sink.options as InternalSinkOptions).idleMax),
        clock.now(),
      );
      return new Task(
        id,
        options,
        ledger,
        inputs,
        all,
        deferred,
        metrics,
        state,
        outbox,
        pipeline,
        checkpoint,
        new Map(),
        time,
        outlet,
      );
    } catch (error) {
      await Promise.allSettled(opened.reverse().map((resource) => resource.close()));
      throw error;
    }
  }

  /** Ends after the round in hand is drained and committed. */
  stop(): void {
    this.stopping = true;
  }

  /** Ends without a commit: another process owns the task now. */
  abandon(): void {
    this.abandoned = true;
    this.stopping = true;
  }

  snapshot(): TaskSnapshot {
    return {
      stage: this.options.topology.name,
      partition: this.id.partition,
      epoch: this.checkpoint.epoch,
      positions: this.checkpoint.positions,
      watermarkMs: this.time.watermarkMs,
      recordsInFlight: this.pipeline.recordsInFlight,
      counters: [...this.counters()],
    };
  }

  /** What a step holds of a key, as of the next checkpoint: an answer takes an epoch at most. */
  ask(step: string, key: string): Promise<Reply> {
    return this.stopping ? Promise.resolve({ kind: 'retry', why: 'the task ends' }) : this.questions.ask(step, key);
  }

  counters() {
    return this.state.counters.entries();
  }

  /** Reads, merges and pushes rounds, with an epoch each interval, until the inputs end or `stop` is called. */
  async run(): Promise<void> {
    const { clock, inFlightMax, pace, epochIntervalMs, staggerMs } = this.options;
    const roundMax = Math.min(this.options.roundMax, pace.roundMax);
    let epochDueMs = clock.now() + epochIntervalMs + staggerMs;
    while (!this.stopping) {
      if (clock.now() >= epochDueMs || this.deferred.some(({ rows, rowsMax }) => rows >= rowsMax)) {
        await this.commitEpoch();
        epochDueMs = Math.max(epochDueMs + epochIntervalMs, clock.now());
      }
      await this.pipeline.credit(inFlightMax);
      const polls = this.inputs.map((input) => input.fill(roundMax));
      const round = mergeRound(this.inputs, roundMax, clock.now(), this.time);
      if (round) {
        this.push(round);
        await pace.take(round.records);
        await nextTurn(); // results of inference, polls and other tasks get their turn
      } else if (this.outlet.isQuiet(clock.now())) {
        await this.commitEpoch();
      } else if (this.inputs.every((input) => input.ended)) {
        if (this.options.final) this.push(this.lastRound());
        break;
      } else {
        // Only the poll of an input that is empty and goes on can help; any other would resolve at once and spin.
        // Polls come back within a fraction of a second, with nothing if need be: idleness is looked at that often.
        await Promise.race(polls.filter((poll, index) => poll && this.inputs[index]?.buffered === 0));
      }
    }
    if (!this.abandoned) await this.commitEpoch();
  }

  /** Closes everything without committing: what was not committed will be read again. */
  async close(): Promise<void> {
    this.stopping = true;
    this.questions.refuse('the task has ended');
    const closing = [
      this.pipeline,
      ...this.inputs,
      ...this.writers,
      ...(this.metricsWriter ? [this.metricsWriter] : []),
      this.ledger,
    ];
    const failures: unknown[] = [];
    for (const resource of closing) {
      try {
        await resource.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  private push(round: Round): void {
    this.outlet.onRound(this.options.clock.now());
    this.recordsSinceEpoch += round.records;
    this.pipeline.push(round);
    this.options.onPoint('pushed', this.id.partition);
  }

  /**
   * The end of time: a round without records in which every window closes and every timer fires. What that emits comes from
   * a record that is in no topic, with the epoch's number for an offset: no real record has that identity.
   */
  private lastRound(): Round {
    const origin: Origin = {
      topic: END_TOPIC,
      partition: this.id.partition,
      offset: this.checkpoint.epoch + 1,
      eventTimeMs: Math.max(0, this.time.watermarkMs),
      receivedAtMs: this.options.clock.now(),
      key: null,
      raw: null,
      headers: undefined,
      order: 0,
    };
    // It counts as one record in flight, so that a drain waits for what it emits.
    return { shares: this.inputs.map(emptyShare), records: 1, ticks: [{ watermarkMs: AFTER_ALL_MS, origin }] };
  }

  /** Drain, prepare, store, commit: see ARCHITECTURE.md. The checkpoint is the truth; sinks' commits are repeatable. */
  private async commitEpoch(): Promise<void> {
    if (this.recordsSinceEpoch === 0 && !this.questions.some && !this.outlet.isDue) return;
    const { onPoint, topology } = this.options;
    const task = this.id.partition;
    await this.pipeline.drain();
    onPoint('drained', task);

    const writers = this.metricsWriter ? [...this.writers, this.metricsWriter] : this.writers;
    await this.writeMetrics();
    this.outlet.mark(this.time.watermarkMs);
    await Promise.all(writers.map((writer) => writer.prepare?.()));
    onPoint('prepared', task);

    const checkpoint: Checkpoint = {
      epoch: this.checkpoint.epoch + 1,
      incarnation: this.checkpoint.incarnation,
      topologyHash: topologyHash(topology),
      positions: Object.fromEntries(this.inputs.map((input) => [input.node.id, input.position])),
      choices: {},
    };
    await this.ledger.commit(checkpoint, this.state.takeChanges());
    this.checkpoint = checkpoint;
    this.recordsSinceEpoch = 0;
    onPoint('stored', task);
    this.questions.answer(task, checkpoint.epoch, (step, key) => this.pipeline.query(step, key));

    for (const input of this.inputs) input.release();
    await Promise.all(writers.map((writer) => writer.commit?.()));
    onPoint('committed', task);
  }

  /** Hands the steps' measurements and the counters as they stand to the metrics sink. */
  private async writeMetrics(): Promise<void> {
    const measured = this.outbox.metrics.splice(0);
    for (const metric of measured) this.measures.set(`${metric.step}/${metric.name}`, metric);
    if (!this.metricsWriter) return;
    // One row a counter and hour of event time: a later epoch replaces it, and a replay writes the same ones.
    const eventTimeMs = Math.floor(Math.max(0, this.time.watermarkMs) / HOUR_MS) * HOUR_MS;
    const { name: topology } = this.options.topology;
    const counted = [...this.counters()].map(
      ({ step, name, value }): Metric => ({
        topology,
        step,
        task: this.id.partition,
        name: `counter:${name}`,
        eventTimeMs,
        value,
      }),
    );
    await this.metricsWriter.write([...measured, ...counted], []);
  }
}

const HOUR_MS = 3_600_000;

/** Rows that a sink's checkpoint keeps at most where the sink itself sets no bound. */
const DEFERRED_ROWS_MAX = 100_000;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const notTransactional = (profile: Profile, where: string): MillraceError =>
  new MillraceError('config', `the ${profile.name} profile cannot repartition`, {
    where,
    hint: 'what goes to the next stage must be in the transaction of the checkpoint: keep both in one store',
  });

const noDriver = (profile: Profile, connector: string, where: string): MillraceError =>
  new MillraceError('config', `the ${profile.name} profile has no connector '${connector}'`, {
    where,
    hint: `it has: ${[...new Set([...Object.keys(profile.sources), ...Object.keys(profile.sinks)])].join(', ')}`,
  });
