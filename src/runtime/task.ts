import type { Checkpoint, SinkWriter, TaskId, TaskLedger } from '../core/index.js';
import { layoutOf, mustFit, stateSettingsOf, topologyHash } from '../topology/index.js';
import { nextTurn } from '../util/next-turn.js';
import { alarm, measuringClock, steady } from './clock.js';
import { EndOfRun } from './end-of-run.js';
import type { Allowance } from './in-flight.js';
import type { Input } from './input.js';
import { EpochMeter } from './measures/epoch-meter.js';
import { lagsOf, refreshLags } from './measures/input-lags.js';
import { NewestMeasures } from './measures/newest-measures.js';
import type { TaskSnapshot } from './measures/task-snapshot.js';
import { type EventTime, eventTimeOf, mergeRound, type Round } from './merge.js';
import { openInputs } from './open-inputs.js';
import { noteQuiet, type PendingOperations, type Reason } from './pending-operations.js';
import { Pipeline } from './pipeline.js';
import {
  DEAD_LETTERS,
  type DeferredSink,
  type MetricsOutput,
  metricsOutput,
  metricsSinks,
  openSinks,
} from './sinks.js';
import { type QueryResult, StateQueries } from './state-queries.js';
import type { StepOutputs } from './steps.js';
import type { EpochPoint, Opening, TaskOptions } from './task-options.js';
import { TaskState } from './task-state.js';
import { ClockTicks } from './ticks.js';
import { TaskTracer } from './tracing/task-tracer.js';
import { emitterFor, type WatermarkEmitter } from './watermark-markers.js';

/**
 * One group of co-partitioned input partitions with its own pipeline, state, ledger and epochs. `Task.open` fences earlier owners
 * and restores the last commit; then `run` until it ends or is stopped.
 */
export class Task {
  private stopping = false;
  private readonly stopped = new AbortController(); // ends the wait for the pace
  private abandoned = false;
  private isAtRest = false;
  private wake = () => {}; // from a wait for records
  private uncommittedSinceMs: number | undefined;
  private bytesSinceEpoch = 0;
  private readonly queries = new StateQueries();

  private constructor(
    readonly id: TaskId,
    private readonly options: TaskOptions,
    private readonly ledger: TaskLedger,
    private readonly inputs: readonly Input[],
    private readonly writers: ReadonlyMap<string, SinkWriter>,
    private readonly deferred: readonly DeferredSink[],
    private readonly metrics: MetricsOutput,
    private readonly state: TaskState,
    private readonly outputs: StepOutputs,
    readonly pipeline: Pipeline,
    private checkpoint: Checkpoint,
    /** What the steps have measured last, for alerts and pages. */
    readonly measures: NewestMeasures,
    private readonly time: EventTime,
    private readonly markers: WatermarkEmitter,
    private readonly ticks: ClockTicks,
    private readonly end: EndOfRun,
    /** The operations in flight. */
    readonly waits: PendingOperations,
    private readonly allowance: Allowance,
    private readonly tracer: TaskTracer | undefined,
    private readonly epochs: EpochMeter,
  ) {}

  static async open(id: TaskId, options: TaskOptions, opening: Opening): Promise<Task> {
    const { topology, profile, clock, tasks, services, budget, tracing, latencies, onSinkFailure } = options;
    const fine = measuringClock(clock);
    const own = { topology: topology.name, task: id.partition };
    const { waits } = opening;
    try {
      const ledger = await opening.during(OPEN, () => opening.part(() => profile.openLedger(id)));
      const restored = await opening.during(RESTORE, () => ledger.restore());
      if (restored.checkpoint) mustFit(restored.checkpoint, id, options);
      const state = new TaskState(restored.state, fine);
      const checkpoint = restored.checkpoint ?? FIRST;
      const outputs: StepOutputs = { deadLetters: [], metrics: [] };

      const { incarnation, committables = {} } = checkpoint;
      const parts = { topology, profile, task: id, incarnation, committables, state, opening, onSinkFailure };
      const { writers, deferred, needsCheckpoint } = await openSinks({ ...parts, isNew: !restored.checkpoint });
      // A fence that this task leaves before its first epoch must be known as its own.
      if (needsCheckpoint) await waits.track(COMMIT, ledger.commit({ ...checkpoint, tasks: options.tasks }, []));

      const end = new EndOfRun(topology, id.partition, incarnation, checkpoint.settledDecisions, options);
      const inputs = await openInputs({ topology, profile, task: id, tasks, checkpoint, end, clock, opening });
      const tracer = tracing && new TaskTracer({ tracing, ...own, now: () => clock.now(), fine });
      const time = eventTimeOf(inputs, checkpoint.positions);
      const pipeline = await opening.part(() =>
        Pipeline.open({
          topology,
          task: id.partition,
          counters: state.counters,
          state,
          services,
          writers,
          deadLetters: writers.get(DEAD_LETTERS) as SinkWriter,
          outputs,
          waits,
          latencies,
          tracer,
          watermarkMs: time.watermarkMs,
          now: () => clock.now(),
          fine,
        }),
      );
      const metrics = metricsSinks(topology).map(({ id: step }) => writers.get(step) as SinkWriter);
      const markers = emitterFor(topology, { task: id.partition, tasks }, writers, clock.now());
      return new Task(
        id,
        options,
        ledger,
        inputs,
        writers,
        deferred,
        metricsOutput(own, metrics),
        state,
        outputs,
        pipeline,
        checkpoint,
        new NewestMeasures(),
        time,
        markers,
        new ClockTicks(topology, id.partition, checkpoint.settledDecisions, clock.now()),
        end,
        waits,
        await opening.part(() => budget.join()),
        tracer,
        new EpochMeter(() => clock.now(), fine, tracer),
      );
    } catch (error) {
      await opening.close();
      throw error;
    }
  }

  /** Whether it completes a run that died, and is to be opened again for its own. */
  get completes(): boolean {
    return this.end.completes;
  }

  /** Ends after the current round is drained and committed. */
  stop(): void {
    this.stopping = true;
    this.stopped.abort();
    this.wake();
  }

  /** Ends without a commit: another process owns the task now. */
  abandon(): void {
    this.abandoned = true;
    this.queries.refuse('the task has ended'); // it may hang, and never close
    this.stop();
  }

  snapshot(): TaskSnapshot {
    const isOver = this.stopping && !this.isAtRest;
    // One that has failed does not poll, and may wait for a sink for hours.
    if (isOver) refreshLags(this.inputs);
    return {
      subtopology: this.options.topology.name,
      partition: this.id.partition,
      epoch: this.checkpoint.epoch,
      positions: this.checkpoint.positions,
      ...lagsOf(this.inputs, isOver ? this.checkpoint.positions : undefined),
      watermarkMs: this.time.watermarkMs,
      recordsInFlight: this.pipeline.recordsInFlight,
      uncommittedSinceMs: this.uncommittedSinceMs,
      isAtRest: this.isAtRest,
      pending: this.waits.silent(),
      time: this.waits.meter.time(this.pipeline.busyMs),
      counters: [...this.counters()],
      epochs: this.epochs.times(),
      stateBytes: this.state.sizes.byStep(),
      queryable: this.pipeline.queryable,
      errors: this.pipeline.errors.byStep(),
    };
  }

  /** The state of a key in a step, as of the next checkpoint, so an answer takes at most an epoch. */
  query(step: string, key: string): Promise<QueryResult> {
    if (this.stopping) return Promise.resolve({ kind: 'retry', why: 'the task is stopping' });
    this.wake();
    return this.queries.add(step, key);
  }

  counters() {
    return this.state.counters.entries();
  }

  /** Reads, merges and pushes rounds, with an epoch each interval, until the inputs end or `stop` is called. */
  async run(): Promise<void> {
    const { clock, inFlightMax, pace, epochIntervalMs, staggerMs, tasks } = this.options;
    const { allowance, waits } = this;
    const roundMax = Math.min(this.options.roundMax, Math.ceil(pace.roundMax / tasks));
    const due = steady(clock);
    let epochDueMs = due.now() + epochIntervalMs + staggerMs;
    const until = alarm(due);
    while (!this.stopping) {
      if (this.options.isPaused()) await this.rest();
      const isFull = this.bytesSinceEpoch >= allowance.uncommitted || this.deferred.some((sink) => sink.isFull);
      if (isFull || due.now() >= epochDueMs) {
        await this.commitEpoch();
        epochDueMs = Math.max(epochDueMs + epochIntervalMs, due.now());
      }
      await waits.meter.during('blocked', this.pipeline.credit(inFlightMax, allowance.inFlight));
      if (this.end.reaches(this.inputs)) {
        await this.commitEpoch();
        continue;
      }
      if (this.ticks.isDue(clock.now())) this.tick();
      const polls = this.inputs.map((input) => input.fill(roundMax, allowance.buffered / this.inputs.length));
      const round = mergeRound(this.inputs, roundMax, this.time, allowance.round);
      noteQuiet(waits, this.inputs, round === undefined);
      if (round) {
        this.push(round);
        await waits.meter.during('idle', pace.take(round.records, this.stopped.signal));
        await nextTurn(); // lets inference results, polls and other tasks run
      } else if (this.markers.isQuiet(clock.now())) {
        await this.commitEpoch();
      } else if (this.inputs.every((input) => input.ended)) {
        if (this.ticks.isDueAtEnd(clock.now())) this.tick();
        if (this.end.final) this.push(this.end.next(clock.now(), this.time.watermarkMs));
        for (const writer of this.writers.values()) writer.finish?.(); // completes open output with the last epoch
        this.end.complete();
        break;
      } else {
        // Only the poll of an empty input that has not ended can help; any other would resolve at once and spin. A poll returns
        // within a fraction of a second, with or without records, which is also how often idleness is checked.
        const needed: unknown[] = polls.filter((poll, index) => poll && this.inputs[index]?.buffered === 0);
        if (this.isEpochDue) needed.push(until(epochDueMs)); // what was read is committed in time, though no more comes
        needed.push(new Promise<void>((resolve) => (this.wake = resolve)));
        await waits.meter.during('idle', Promise.race(needed));
      }
    }
    // A run that is stopped commits all that followed from the ends; one that only completes another may not have come so far.
    if (!this.end.completes) this.end.complete();
    // The second one takes out of the checkpoint what deferred sinks were given after the first.
    for (let epochs = 0; epochs < 2 && !this.abandoned; epochs++) await this.commitEpoch(true);
    this.isAtRest = !this.abandoned;
  }

  /** While the run is paused: drains and reads nothing. Epochs go on for what is due without records, such as state queries. */
  private async rest(): Promise<void> {
    const { clock, isPaused } = this.options;
    noteQuiet(this.waits, this.inputs, false);
    const due = steady(clock);
    let lagDueMs = due.now();
    while (isPaused() && !this.stopping) {
      await this.commitEpoch();
      // A savepoint is to have no row that a deferred sink has.
      this.isAtRest = !this.deferred.some(({ holdsBack }) => holdsBack);
      if (due.now() >= lagDueMs) {
        refreshLags(this.inputs);
        lagDueMs = due.now() + LAG_MS;
      }
      await this.waits.meter.during('idle', clock.sleep(REST_MS));
    }
    this.isAtRest = false;
    // Nobody has looked for records meanwhile, so no input has been idle.
    for (const input of this.inputs) input.silence.end(clock.now());
  }

  /** Abandons a hung task: starts to close everything at once, since one part may never close. */
  async forceClose(): Promise<void> {
    this.abandon();
    await Promise.allSettled(this.parts.map((part) => part.close()));
  }

  /** Closes everything without a commit; uncommitted records will be read again. */
  async close(): Promise<void> {
    this.stopping = true;
    this.waits.meter.enter('idle');
    this.tracer?.abandoned();
    this.queries.refuse('the task has ended');
    const failures: unknown[] = [];
    for (const resource of this.parts) await resource.close().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw failures[0];
  }

  /** In the order in which they close. */
  private get parts(): readonly { close(): Promise<void> }[] {
    const { pipeline, inputs, writers, ledger, allowance } = this;
    return [pipeline, ...inputs, ...writers.values(), ledger, allowance];
  }

  private push(round: Round): void {
    this.markers.onRound(this.options.clock.now());
    this.send(round);
  }

  private tick(): void {
    this.send(this.ticks.next(this.options.clock.now(), this.time.watermarkMs));
  }

  private send(round: Round): void {
    this.uncommittedSinceMs ??= this.options.clock.now();
    this.bytesSinceEpoch += round.bytes;
    for (const input of this.inputs) {
      const skipped = input.takeSkipped();
      if (skipped > 0) this.state.counters.of(input.node.id, 'skipped').add(skipped);
    }
    this.pipeline.push(round);
    this.options.onPoint('pushed', this.id.partition, this.checkpoint.epoch + 1);
  }

  /** Drain, prepare, store, commit: see ARCHITECTURE.md. The checkpoint decides; commits of sinks can be repeated. */
  private async commitEpoch(isLast = false): Promise<void> {
    if (!this.isEpochDue && !(isLast && this.state.holdsBack)) return;
    const { topology } = this.options;
    const task = this.id.partition;
    const epoch = this.checkpoint.epoch + 1;
    const onPoint = (point: EpochPoint) => this.options.onPoint(point, task, epoch);
    this.waits.meter.enter('blocked');
    this.epochs.phase('drain');
    await this.pipeline.drain();
    onPoint('drained');

    const writers = [...this.writers];
    this.epochs.phase('prepare');
    await this.writeMetrics();
    this.markers.writeMarkers(this.time.watermarkMs);
    const prepared = await Promise.all(
      writers.map(async ([step, writer]) => [step, await writer.prepare?.()] as const),
    );
    const committables = prepared.filter(([, committable]) => committable !== undefined);
    const ofRemoved = Object.entries(this.checkpoint.committables ?? {}).filter(([step]) => !this.writers.has(step));
    const all = [...ofRemoved, ...committables];
    onPoint('prepared');

    const checkpoint: Checkpoint = {
      epoch,
      incarnation: this.checkpoint.incarnation,
      topologyHash: topologyHash(topology),
      tasks: this.options.tasks,
      layout: layoutOf(topology),
      settings: stateSettingsOf(topology),
      // Positions of removed sources and committables of removed sinks are kept: one that is added again continues.
      positions: {
        ...this.checkpoint.positions,
        ...Object.fromEntries(this.inputs.map(({ key, stored }) => [key, stored])),
      },
      settledDecisions: { ...this.ticks.decisions, ...this.end.decisions },
      ...(all.length > 0 ? { committables: Object.fromEntries(all) } : {}),
    };
    this.pipeline.prepareCheckpoint();
    const changes = this.state.takeChanges(this.pipeline.busyMs, isLast);
    const bytes = this.state.sizes.note(changes);
    this.epochs.phase('store');
    await this.waits.track(COMMIT, this.ledger.commit(checkpoint, changes));
    this.checkpoint = checkpoint;
    this.uncommittedSinceMs = undefined;
    this.bytesSinceEpoch = 0;
    onPoint('stored');
    this.queries.answer(task, epoch, (step, key) => this.pipeline.query(step, key));

    this.epochs.phase('commit');
    for (const input of this.inputs) input.release();
    await Promise.all(writers.map(([, writer]) => writer.commit?.()));
    this.epochs.committed(epoch, bytes);
    this.waits.meter.enter('running');
    onPoint('committed');
  }

  private get isEpochDue(): boolean {
    if (this.uncommittedSinceMs !== undefined || this.queries.some || this.markers.isDue) return true;
    if (this.end.differsFrom(this.checkpoint.settledDecisions)) return true;
    if (this.options.isPaused() && this.deferred.some(({ holdsBack }) => holdsBack)) return true;
    for (const writer of this.writers.values()) if (writer.isDue?.()) return true;
    return false;
  }

  /** Writes the steps' measurements and the current counters to the metrics sinks. */
  private async writeMetrics(): Promise<void> {
    const rows = this.measures.note(this.outputs.metrics.splice(0));
    await this.metrics.write(rows, this.counters(), this.time.watermarkMs);
  }
}

/** The checkpoint of a task that has none. */
const FIRST: Checkpoint = { epoch: 0, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} };

/** How soon a task notices that the run is resumed or stopped. */
const REST_MS = 100;
/** How often a task at rest asks how far it is behind. */
const LAG_MS = 2_000;
const OPEN: Reason = { kind: 'ledger', id: 'open' };
const RESTORE: Reason = { kind: 'ledger', id: 'restore' };
const COMMIT: Reason = { kind: 'ledger', id: 'commit' };
