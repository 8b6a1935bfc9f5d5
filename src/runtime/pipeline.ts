import { concatMap, from, map, of, Subject, zip } from 'rxjs';
import {
  type BatchedLogic,
  type Chunk,
  type DeadLetter,
  inTheLog,
  MillraceError,
  type ServiceRegistry,
  type SinkWriter,
  type StatefulLogic,
} from '../core/index.js';
import type { StepNode, Topology, Wire } from '../topology/index.js';
import { getOrInsert } from '../util/maps.js';
import { nextTurn } from '../util/next-turn.js';
import { InFlight } from './in-flight.js';
import { REPORTED_BY_OTHER_TASK, TOMBSTONE } from './input.js';
import { LastErrors } from './measures/last-errors.js';
import { SampledLatency } from './measures/sampled-latency.js';
import type { Round } from './merge.js';
import type { PendingOperations, Reason } from './pending-operations.js';
import {
  runBatched,
  runOnCheckpoint,
  runSplit,
  runStateful,
  runTransform,
  type StepOutputs,
  TaskStepContext,
  withoutUnrepresentable,
  written,
} from './steps.js';
import type { Counters, TaskState } from './task-state.js';
import type { TaskTracer } from './tracing/task-tracer.js';

export interface PipelineParts {
  readonly topology: Topology;
  readonly task: number;
  readonly counters: Counters;
  readonly state: TaskState;
  readonly services: ServiceRegistry;
  /** By sink id; the dead letters' under `deadLetters`. */
  readonly writers: ReadonlyMap<string, SinkWriter>;
  readonly deadLetters: SinkWriter;
  readonly outputs: StepOutputs;
  readonly waits: PendingOperations;
  /** By step and sink; shared by all tasks of a run. */
  readonly latencies: Map<string, SampledLatency>;
  /** Missing where nothing is traced. */
  readonly tracer?: TaskTracer | undefined;
  /** The watermark at the end of an earlier run. */
  readonly watermarkMs: number;
  readonly now: () => number;
  /** For measuring, as `measuringClock` gives it. */
  readonly fine: () => number;
}

/**
 * One task's topology as a running RxJS graph. Each stream is a Subject with exactly one chunk per round. So steps with several
 * inputs are a `zip`, asynchronous steps an eager `concatMap`, and RxJS costs time per chunk, not per record.
 */
export class Pipeline {
  /** The time spent in each step's logic, in milliseconds. */
  readonly busyMs = new Map<string, number>();
  readonly errors = new LastErrors();
  private readonly streams = new Map<string, Subject<Chunk>>();
  private readonly contexts = new Map<string, TaskStepContext>();
  private readonly batched: BatchedLogic[] = [];
  /** The steps that hold something back between checkpoints. */
  private readonly holding: { readonly logic: StatefulLogic; readonly context: TaskStepContext }[] = [];
  private readonly queries = new Map<string, (key: string) => unknown>();
  private readonly letters = new Subject<DeadLetter[]>();
  private inFlight: InFlight = new InFlight(0);
  private lettersWaiting = 0;
  private onLettersWritten: (() => void) | undefined;

  private constructor(private readonly parts: PipelineParts) {}

  static async open(parts: PipelineParts): Promise<Pipeline> {
    const pipeline = new Pipeline(parts);
    await pipeline.connect();
    return pipeline;
  }

  get recordsInFlight(): number {
    return this.inFlight.records;
  }

  /** Pushes a round: everything synchronous happens before this returns. */
  push(round: Round): void {
    const { sources } = this.parts.topology;
    this.inFlight.push(round.records, round.bytes);
    this.parts.tracer?.begin(round);
    sources.forEach((source, index) => {
      const share = round.shares[index];
      if (!share) return;
      const context = this.contextOf(source.id);
      context.counter('read').add(share.values.length + share.unusable.length);
      for (const { cause, origin } of share.unusable) {
        context.origin = origin;
        if (cause === TOMBSTONE) context.counter('tombstones').add();
        else if (cause !== REPORTED_BY_OTHER_TASK) context.deadLetter(cause.reason, cause.detail);
      }
    });
    // Two loops: counters and dead letters of a round come before the effects of its values.
    sources.forEach((source, index) => {
      const share = round.shares[index];
      if (share) this.streamOf({ from: source.id, output: 0 }).next({ ...share, ticks: round.ticks });
    });
    this.sendDeadLetters();
    this.inFlight.throwIfFailed();
  }

  /** Resolves when fewer than `recordsMax` records and `bytesMax` bytes are in flight. */
  credit(recordsMax: number, bytesMax: number): Promise<void> {
    return this.inFlight.fewerThan(recordsMax, bytesMax);
  }

  /** Waits until everything in flight has reached the sinks. */
  async drain(): Promise<void> {
    for (const logic of this.batched) logic.flush?.();
    await this.inFlight.fewerThan(1);
    this.sendDeadLetters();
    await this.lettersWritten();
    this.inFlight.throwIfFailed();
  }

  /** The steps write what they hold back into their cells, before changes are taken. */
  prepareCheckpoint(): void {
    for (const { logic, context } of this.holding) runOnCheckpoint(logic, context);
  }

  get queryable(): readonly string[] {
    return [...this.queries.keys()];
  }

  /**
   * The state of a key in a step.
   *
   * @throws MillraceError `config` for a step that does not support queries.
   */
  query(step: string, key: string): unknown {
    const query = this.queries.get(step);
    if (query) return query(key);
    throw new MillraceError('config', 'no step of this name has state queries', {
      where: step,
      hint: `these can: ${[...this.queries.keys()].join(', ') || 'none'}`,
    });
  }

  async close(): Promise<void> {
    for (const stream of this.streams.values()) stream.complete();
    await Promise.all(this.batched.map((logic) => logic.close?.()));
  }

  private async lettersWritten(): Promise<void> {
    while (this.lettersWaiting > 0)
      await new Promise<void>((resolve) => {
        this.onLettersWritten = resolve;
      });
  }

  private async connect(): Promise<void> {
    const { topology, writers, deadLetters } = this.parts;
    for (const source of topology.sources) this.streams.set(`${source.id}/0`, new Subject());
    for (const step of topology.steps) await this.connectStep(step);

    const read = new Set(
      [...topology.steps.flatMap((step) => step.inputs), ...topology.sinks.map((sink) => sink.input)].map(keyOf),
    );
    const unread = [...this.streams].filter(([key]) => !read.has(key)).map(([, stream]) => stream);
    this.inFlight = new InFlight(topology.sinks.length + unread.length);
    const error = (cause: unknown) => this.inFlight.fail(cause);

    topology.sinks.forEach((sink, leaf) => {
      const writer = writers.get(sink.id) as SinkWriter;
      const context = this.contextOf(sink.id);
      const counter = context.counter('written');
      const latency = this.latencyOf(sink.id);
      this.streamOf(sink.input)
        .pipe(
          map((chunk) => withoutUnrepresentable(writer, context, chunk, sink.sink.changes === true)),
          concatMap((chunk) => {
            if (chunk.values.length === 0) return of(chunk);
            const done = this.traced(sink.id, [chunk], () => written(writer, sink.id, chunk));
            return done ? from(done.then(() => chunk)) : of(chunk);
          }),
        )
        .subscribe({
          next: (chunk) => {
            counter.add(chunk.values.length);
            latency.record(chunk.origins, this.parts.now());
            this.inFlight.finish(leaf);
          },
          error,
        });
    });
    unread.forEach((stream, index) => {
      stream.subscribe({ next: () => this.inFlight.finish(topology.sinks.length + index), error });
    });
    this.letters
      .pipe(
        concatMap(async (letters) => {
          await deadLetters.write(
            letters.map((letter) => ({ ...letter, origin: inTheLog(letter.origin) })),
            letters.map((letter) => letter.origin),
          );
          return letters.length;
        }),
      )
      .subscribe({
        next: (written) => {
          this.lettersWaiting -= written;
          this.onLettersWritten?.();
        },
        error: (cause) => {
          this.lettersWaiting = 0;
          error(cause);
          this.onLettersWritten?.();
        },
      });
  }

  private async connectStep(step: StepNode): Promise<void> {
    const context = this.contextOf(step.id);
    const inputs = step.inputs.map((wire) => this.streamOf(wire));
    const main = inputs[0] as Subject<Chunk>;
    const output = (index = 0): Subject<Chunk> => {
      const subject = new Subject<Chunk>();
      this.streams.set(`${step.id}/${index}`, subject);
      return subject;
    };
    const meter = this.meterOf(step.id);
    const traced = <T>(chunks: readonly Chunk[], work: () => T): T => this.traced(step.id, chunks, work);
    switch (step.shape.shape) {
      case 'transform': {
        const logic = step.shape.open(context);
        main
          .pipe(map((chunk) => meter([chunk], () => traced([chunk], () => runTransform(logic, context, chunk)))))
          .subscribe(output());
        return;
      }
      case 'split': {
        const logic = step.shape.open(context);
        const outputs = step.shape.outputs.map((_, index) => output(index));
        main.pipe(map((chunk) => traced([chunk], () => runSplit(logic, outputs.length, context, chunk)))).subscribe({
          next: (chunks) => {
            for (const [index, chunk] of chunks.entries()) outputs[index]?.next(meter([chunk], () => chunk));
          },
          error: (cause) => {
            for (const subject of outputs) subject.error(cause);
          },
        });
        return;
      }
      case 'stateful': {
        const { state } = this.parts;
        const logic = step.shape.open(state.open(step.id, step.shape.cells), context);
        for (const _ of state.catchUp(step.id)) await nextTurn();
        if (logic.onCheckpoint) this.holding.push({ logic, context });
        if (logic.query) this.queries.set(step.id, logic.query.bind(logic));
        const results = output();
        const others = (step.shape.outputs ?? []).slice(1).map((_, index) => output(index + 1));
        if (others.length === 0) {
          zip(inputs)
            .pipe(map((chunks) => meter(chunks, () => traced(chunks, () => runStateful(logic, context, chunks)))))
            .subscribe(results);
          return;
        }
        const asidesOf = () => others.map(() => ({ values: [], origins: [] }));
        zip(inputs)
          .pipe(
            map((chunks) => {
              const asides = asidesOf();
              const run = () => runStateful(logic, context, chunks, asides);
              return { chunk: meter(chunks, () => traced(chunks, run)), asides };
            }),
          )
          .subscribe({
            next: ({ chunk, asides }) => {
              results.next(chunk);
              for (const [index, aside] of asides.entries()) {
                context.counter('out').add(aside.values.length);
                others[index]?.next({ ...aside, ticks: chunk.ticks });
              }
            },
            error: (cause) => {
              for (const subject of [results, ...others]) subject.error(cause);
            },
          });
        return;
      }
      case 'batched': {
        const { waits, services } = this.parts;
        const reason: Reason = { kind: 'step', id: step.id };
        const logic = await step.shape.open(context, { ...services, progress: () => waits.progress(reason) });
        this.batched.push(logic);
        main
          .pipe(
            // Every chunk starts at once, so that batches fill across chunks, and ends in order.
            map((chunk) => settle(traced([chunk], () => waits.track(reason, runBatched(logic, context, chunk))))),
            concatMap((running) => running),
            map((settled) => {
              const { chunk, failures } = unwrap(settled);
              for (const { failure, origin } of failures) {
                context.origin = origin;
                context.deadLetter(failure.reason, failure.detail);
              }
              context.origin = undefined; // a later failure does not belong to these records
              this.sendDeadLetters();
              return meter([chunk], () => chunk);
            }),
          )
          .subscribe(output());
        return;
      }
    }
  }

  private traced<T>(id: string, chunks: readonly Chunk[], work: () => T): T {
    const { tracer } = this.parts;
    return tracer === undefined ? work() : tracer.during(id, chunks, work);
  }

  /** Measures a step: records of its main input and their latency, emitted records, and time. */
  private meterOf(step: string) {
    const context = this.contextOf(step);
    const [recordsIn, recordsOut] = [context.counter('in'), context.counter('out')];
    const latency = this.latencyOf(step);
    return (inputs: readonly Chunk[], run: () => Chunk): Chunk => {
      const { fine, now } = this.parts;
      const startedAt = fine();
      const chunk = run();
      this.busyMs.set(step, (this.busyMs.get(step) ?? 0) + fine() - startedAt);
      const [main = chunk] = inputs;
      latency.record(main.origins, now());
      recordsIn.add(main.values.length);
      recordsOut.add(chunk.values.length);
      return chunk;
    };
  }

  private sendDeadLetters(): void {
    const { deadLetters } = this.parts.outputs;
    if (deadLetters.length === 0) return;
    this.lettersWaiting += deadLetters.length;
    // Steps ran one after another over the round; its dead letters go in the order of its records, however rounds were cut.
    const letters = deadLetters.splice(0).sort((a, b) => a.origin.order - b.origin.order);
    this.errors.note(letters, this.parts.now());
    this.letters.next(letters);
  }

  private latencyOf(node: string): SampledLatency {
    return getOrInsert(this.parts.latencies, node, () => new SampledLatency());
  }

  private contextOf(step: string): TaskStepContext {
    const { topology, task, counters, outputs, watermarkMs } = this.parts;
    const open = () => new TaskStepContext(topology.name, step, task, counters, outputs, watermarkMs);
    return getOrInsert(this.contexts, step, open);
  }

  private streamOf(wire: Wire): Subject<Chunk> {
    const stream = this.streams.get(keyOf(wire));
    if (!stream) throw new MillraceError('internal', `no stream ${keyOf(wire)}: the topology was not checked`);
    return stream;
  }
}

const keyOf = ({ from, output }: Wire): string => `${from}/${output}`;

/** A promise's outcome as a value, for work started ahead whose failure must wait for its turn. */
export type Settled<T> = { readonly value: T } | { readonly error: unknown };

export const settle = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

export function unwrap<T>(settled: Settled<T>): T {
  if ('error' in settled) throw settled.error;
  return settled.value;
}
