import {
  atPlace,
  type BatchedLogic,
  type Change,
  type Chunk,
  type Counter,
  type DeadLetter,
  type Emit,
  type EmitTo,
  type Measured,
  MillraceError,
  type Origin,
  RowFailure,
  type SinkWriter,
  type SplitLogic,
  type StatefulLogic,
  type StepContext,
  type Tick,
  type TransformLogic,
  thrownBy,
  unwritable,
} from '../core/index.js';
import type { Measurement } from './measures/newest-measures.js';
import type { Counters } from './task-state.js';

/** Outputs that a task collects from all its steps. */
export interface StepOutputs {
  readonly deadLetters: DeadLetter[];
  readonly metrics: Measurement[];
}

/** The context of a step: its counters, its measurements, and the current record. */
export class TaskStepContext implements StepContext {
  /** The current record, set by the caller of the step's logic. */
  origin: Origin | undefined;

  /** `watermarkMs` is that of the end of an earlier run; whoever calls `onWatermark` updates it. */
  constructor(
    readonly topology: string,
    readonly step: string,
    readonly task: number,
    private readonly counters: Counters,
    private readonly outputs: StepOutputs,
    public watermarkMs: number,
  ) {}

  counter(name: string): Counter {
    return this.counters.of(this.step, name);
  }

  measure(
    name: string,
    value: number,
    eventTimeMs: number,
    { slice = '', version = '', interval, weight }: Measured = {},
  ): void {
    const { topology, step, task } = this;
    const row = { topology, step, task, name, slice, version, eventTimeMs, value };
    this.outputs.metrics.push({ row, interval, weight });
  }

  deadLetter(reason: string, detail: string): void {
    if (!this.origin)
      throw new MillraceError('internal', 'a dead letter outside the processing of a record', { where: this.step });
    this.counter(`dead:${reason}`).add();
    this.outputs.deadLetters.push({ reason, detail, step: this.step, origin: this.origin });
  }

  fail(message: string, hint?: string): never {
    throw new MillraceError('step', `${message}${atPlace(this.origin)}`, {
      where: this.step,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

// How each of the four shapes runs over a chunk. The logic gets one record at a time; chunks and origins are handled here.

const guard = ({ step, origin }: TaskStepContext, error: unknown): MillraceError => thrownBy(step, error, origin);

export function runTransform(logic: TransformLogic, context: TaskStepContext, chunk: Chunk): Chunk {
  const values: unknown[] = [];
  const origins: Origin[] = [];
  let origin: Origin;
  const emit = (value: unknown) => {
    values.push(value);
    origins.push(origin);
  };
  try {
    for (let i = 0; i < chunk.values.length; i++) {
      origin = chunk.origins[i] as Origin;
      context.origin = origin;
      logic(chunk.values[i], emit, origin);
    }
  } catch (error) {
    throw guard(context, error);
  }
  return { values, origins, ticks: chunk.ticks };
}

export function runSplit(logic: SplitLogic, outputs: number, context: TaskStepContext, chunk: Chunk): Chunk[] {
  const out = Array.from({ length: outputs }, () => ({ values: [] as unknown[], origins: [] as Origin[] }));
  let origin: Origin;
  const emit: EmitTo = (output, value) => {
    out[output]?.values.push(value);
    out[output]?.origins.push(origin);
  };
  try {
    for (let i = 0; i < chunk.values.length; i++) {
      origin = chunk.origins[i] as Origin;
      context.origin = origin;
      logic(chunk.values[i], emit, origin);
    }
  } catch (error) {
    throw guard(context, error);
  }
  return out.map((o) => ({ ...o, ticks: chunk.ticks }));
}

/** A value for a further output of a step. */
export interface Aside {
  readonly values: unknown[];
  readonly origins: Origin[];
}

/**
 * Interleaves the chunks of all inputs in the merged order of the round. Values for other outputs than the first are added to
 * `asides`.
 */
export function runStateful(
  logic: StatefulLogic,
  context: TaskStepContext,
  inputs: readonly Chunk[],
  asides: readonly Aside[] = [],
): Chunk {
  // Allocated for one output per record of the main input, because growing arrays are copied repeatedly.
  const values = new Array<unknown>((inputs[0] as Chunk).values.length);
  const origins = new Array<Origin>(values.length);
  let count = 0;
  let origin: Origin;
  const emit: Emit = (value, eventTimeMs, output = 0) => {
    const of = eventTimeMs === undefined ? origin : { ...origin, eventTimeMs, key: null, raw: null, json: undefined };
    if (output > 0) {
      asides[output - 1]?.values.push(value);
      asides[output - 1]?.origins.push(of);
      return;
    }
    values[count] = value;
    origins[count++] = of;
  };
  const { ticks } = inputs[0] as Chunk;
  // Downstream, the results of a tick are at the position of its record, after all results of the record itself.
  let ticksLeft = logic.onWatermark || logic.onProcessingTime ? ticks.length : 0;
  const tickUpTo = (order: number) => {
    while (ticksLeft > 0) {
      const tick = ticks[ticks.length - ticksLeft] as Tick;
      if (tick.origin.order >= order) return;
      ticksLeft -= 1;
      origin = tick.origin;
      context.origin = undefined;
      context.watermarkMs = tick.watermarkMs;
      if (tick.clockMs === undefined) logic.onWatermark?.(tick.watermarkMs, emit);
      else logic.onProcessingTime?.(tick.clockMs, emit);
    }
  };
  try {
    if (inputs.length === 1) {
      const { values: rows, origins: rowOrigins } = inputs[0] as Chunk;
      for (let i = 0; i < rows.length; i++) {
        const own = rowOrigins[i] as Origin;
        if (ticksLeft > 0) tickUpTo(own.order);
        origin = own;
        context.origin = own;
        logic.onRecord(0, rows[i], emit, own);
      }
    } else {
      const rows = inputs.map((chunk) => chunk.values);
      const rowOrigins = inputs.map((chunk) => chunk.origins);
      const heads = inputs.map(() => 0);
      const orders = Float64Array.from(inputs, ({ origins }) => origins[0]?.order ?? Number.POSITIVE_INFINITY);
      for (;;) {
        const input = lowest(orders);
        const order = orders[input] as number;
        if (order === Number.POSITIVE_INFINITY) break;
        const from = rowOrigins[input] as readonly Origin[];
        const at = heads[input] as number;
        heads[input] = at + 1;
        orders[input] = from[at + 1]?.order ?? Number.POSITIVE_INFINITY;
        if (ticksLeft > 0) tickUpTo(order);
        origin = from[at] as Origin;
        context.origin = origin;
        logic.onRecord(input, (rows[input] as readonly unknown[])[at], emit, origin);
      }
    }
    tickUpTo(Number.POSITIVE_INFINITY);
  } catch (error) {
    throw guard(context, error);
  }
  values.length = count;
  origins.length = count;
  return { values, origins, ticks };
}

/** Lets a step write what it holds back. */
export function runOnCheckpoint(logic: StatefulLogic, context: TaskStepContext): void {
  context.origin = undefined;
  try {
    logic.onCheckpoint?.();
  } catch (error) {
    throw guard(context, error);
  }
}

/** The index of the lowest number, the first of equal ones. */
function lowest(numbers: Float64Array): number {
  let best = 0;
  for (let i = 1; i < numbers.length; i++) if ((numbers[i] as number) < (numbers[best] as number)) best = i;
  return best;
}

/** The result of a round in a batched step: the answered rows, in order, and the failed ones. */
export interface Answered {
  readonly chunk: Chunk;
  readonly failures: readonly { readonly failure: RowFailure; readonly origin: Origin }[];
}

/** Rounds may be answered in any order; their effects, including dead letters, must wait for their turn. */
export async function runBatched(logic: BatchedLogic, context: TaskStepContext, chunk: Chunk): Promise<Answered> {
  if (chunk.values.length === 0) return { chunk, failures: [] };
  let answers: readonly unknown[];
  try {
    answers = await logic.onBatch(chunk.values, chunk.origins);
  } catch (error) {
    throw guard(context, error);
  }
  if (answers.length !== chunk.values.length)
    throw new MillraceError('step', `${answers.length} answers for ${chunk.values.length} rows`, {
      where: context.step,
    });
  if (!answers.some((answer) => answer instanceof RowFailure))
    return { chunk: { ...chunk, values: answers }, failures: [] };
  const values: unknown[] = [];
  const origins: Origin[] = [];
  const failures: { failure: RowFailure; origin: Origin }[] = [];
  answers.forEach((answer, i) => {
    const origin = chunk.origins[i] as Origin;
    if (answer instanceof RowFailure) failures.push({ failure: answer, origin });
    else {
      values.push(answer);
      origins.push(origin);
    }
  });
  return { chunk: { values, origins, ticks: chunk.ticks }, failures };
}

/**
 * Writes a chunk to a sink. An exception of a callback of the sink is reported with the sink's id, because an error of JavaScript
 * names neither.
 */
export function written(writer: SinkWriter, step: string, { values, origins }: Chunk): Promise<void> | undefined {
  const named = (error: unknown): never => {
    throw namedError(error, step);
  };
  try {
    return writer.write(values, origins)?.catch(named) ?? undefined;
  } catch (error) {
    return named(error);
  }
}

const namedError = (error: unknown, step: string, origin?: Origin): MillraceError =>
  error instanceof MillraceError ? error : unwritable(error, step, origin);

/**
 * Sends values that a sink cannot store to the dead letters, in the order of the other letters of the round. Of such a change the
 * retraction remains: the sink must not show the old value any longer.
 */
export function withoutUnrepresentable(
  writer: SinkWriter,
  context: TaskStepContext,
  chunk: Chunk,
  areChanges: boolean,
): Chunk {
  const { values, origins } = chunk;
  if (!writer.unrepresentable || writer.takesAll?.(values, origins)) return chunk;
  // Nearly always all can be written, and nothing is copied.
  let kept: { readonly values: unknown[]; readonly origins: Origin[] } | undefined;
  let at = 0;
  try {
    for (; at < values.length; at++) {
      const origin = origins[at] as Origin;
      let value = values[at];
      const unrepresentable = writer.unrepresentable(value, origin);
      if (unrepresentable !== undefined) {
        kept ??= { values: values.slice(0, at), origins: origins.slice(0, at) };
        context.origin = origin;
        context.deadLetter('unrepresentable', unrepresentable);
        if (!areChanges) continue;
        value = { ...(value as Change<unknown>), after: null };
        if (writer.unrepresentable(value, origin) !== undefined) continue;
      }
      kept?.values.push(value);
      kept?.origins.push(origin);
    }
  } catch (error) {
    throw namedError(error, context.step, origins[at]);
  }
  context.origin = undefined; // a later failure does not belong to these records
  return kept ? { ...chunk, ...kept } : chunk;
}
