import {
  AFTER_ALL_MS,
  BEFORE_ALL_MS,
  type Cell,
  type Emit,
  type Measured,
  type MetricRow,
  MillraceError,
  messageOf,
  noRecord,
  type Origin,
  type Shape,
  type StateChange,
  type StepContext,
} from '../core/index.js';

/** The operator or splitter to drive, with or without further inputs. */
export interface Driven {
  readonly kind: string;
  readonly shape: Shape;
}

/** A record for an operator. Missing properties get defaults: offsets count up, event times are 0. */
export interface DrivenInput {
  readonly value: unknown;
  /** 0 for the main input, further inputs from 1, in the operator's order. */
  readonly input?: number;
  readonly eventTimeMs?: number;
  readonly key?: Uint8Array | null;
  /** Advances processing time to this, instead of passing a record. */
  readonly clockMs?: number;
}

/** A value that an operator emitted, and the record that it belongs to. */
export interface DrivenOutput {
  readonly value: unknown;
  readonly origin: Origin;
  /** The name of the output, if there are several. */
  readonly output?: string;
}

/** A measurement of a driven step, and what it is of. */
export type DrivenMeasure = Pick<MetricRow, 'name' | 'value' | 'eventTimeMs'> & Measured;

/** What a step did with the given records. */
export interface Driving {
  readonly emitted: readonly DrivenOutput[];
  readonly deadLetters: readonly { readonly reason: string; readonly detail: string; readonly origin: Origin }[];
  /** Cumulative, without those of restored state. */
  readonly counters: Readonly<Record<string, number>>;
  readonly measures: readonly DrivenMeasure[];
  /** The message of `context.fail`, or of what the operator threw; nothing was driven after it. */
  readonly failure?: string;
}

/**
 * Runs one operator over records, without a topology or a runtime, for its test.
 *
 * @example const { emitted, counters } = driveOperator(dedupe(options), [{ value: { id: 1 } }, { value: { id: 1 } }]);
 *
 * All shapes except `batched`. The watermark follows the event times as in a task: `disorderMs` behind the latest one, and with
 * `final` to the end of time after the last record. Stops at the first failure and reports it.
 */
export function driveOperator(operator: Driven, inputs: readonly DrivenInput[], time: DrivenTime = {}): Driving {
  const step = new DrivenStep(operator, 0, [], { disorderMs: time.disorderMs ?? 0, watermarkMs: BEFORE_ALL_MS });
  for (const input of inputs) if (!step.push(input)) return step;
  if (time.final) step.end();
  return step;
}

/** How time passes while an operator is driven. */
export interface DrivenTime {
  /** How far the watermark trails the latest event time; 0 by default. */
  readonly disorderMs?: number;
  /** Whether the inputs end after the last record. */
  readonly final?: boolean;
}

/** The watermark of a driven step, and how far it trails. */
export interface DrivenWatermark {
  readonly disorderMs: number;
  readonly watermarkMs: number;
}

/** One step that a test drives record by record, and snapshots and restores at any point. */
export class DrivenStep implements Driving {
  readonly emitted: DrivenOutput[] = [];
  readonly deadLetters: { reason: string; detail: string; origin: Origin }[] = [];
  readonly counters: Record<string, number> = {};
  readonly measures: DrivenMeasure[] = [];
  failure?: string;
  private readonly cells: { readonly name: string; readonly version: number; readonly cell: Cell }[] = [];
  private readonly run: (input: number, value: unknown, origin: Origin) => void;
  private readonly tellClock: ((clockMs: number, origin: Origin) => void) | undefined;
  private tellCheckpoint: (() => void) | undefined;
  private readonly tellWatermark: ((watermarkMs: number, origin: Origin) => void) | undefined;
  /** The step's state of a key; `undefined` if it does not support queries. */
  readonly query: (key: string) => unknown;
  private watermarkMs: number;
  private origin: Origin | undefined;

  /** `offset` is that of the first record; the cells are restored from `state`. */
  constructor(
    private readonly operator: Driven,
    private offset = 0,
    state: Iterable<StateChange> = [],
    private readonly time: DrivenWatermark = { disorderMs: 0, watermarkMs: BEFORE_ALL_MS },
  ) {
    this.watermarkMs = time.watermarkMs;
    let query: ((key: string) => unknown) | undefined;
    const { shape } = operator;
    const context = this.context();
    if (shape.shape === 'batched')
      throw new MillraceError('internal', 'a batched operator cannot be driven record by record');
    if (shape.shape === 'stateful') {
      const logic = shape.open(this.openCells(shape.cells, [...state]), context);
      const { outputs } = shape;
      this.run = (input, value, origin) => logic.onRecord(input, value, this.emitterAt(origin, outputs), origin);
      this.tellWatermark = (watermarkMs, origin) => logic.onWatermark?.(watermarkMs, this.emitterAt(origin, outputs));
      this.tellClock = (clockMs, origin) => logic.onProcessingTime?.(clockMs, this.emitterAt(origin, outputs));
      this.tellCheckpoint = logic.onCheckpoint?.bind(logic);
      query = logic.query?.bind(logic);
    } else if (shape.shape === 'split') {
      const logic = shape.open(context);
      const { outputs } = shape;
      this.run = (_, value, origin) =>
        logic(
          value,
          (output, out) =>
            this.emitted.push({ value: out, origin, output: outputs[output] ?? `(no output ${output})` }),
          origin,
        );
    } else {
      const logic = shape.open(context);
      this.run = (_, value, origin) => logic(value, (out) => this.emitted.push({ value: out, origin }), origin);
    }
    this.query = (key) => query?.(key);
  }

  /** Passes a record to the step; returns `false` if it failed. */
  push({ value, input = 0, eventTimeMs = 0, key = null, clockMs }: DrivenInput): boolean {
    const offset = this.offset++;
    if (clockMs !== undefined) {
      this.origin = undefined;
      const origin = { ...noOrigin, topic: '$clock', offset, eventTimeMs: Math.max(0, this.watermarkMs) };
      return this.guarded(() => this.tellClock?.(clockMs, origin));
    }
    const origin: Origin = {
      topic: input === 0 ? 'records' : `side-${input}`,
      partition: 0,
      offset,
      eventTimeMs,
      receivedAtMs: eventTimeMs,
      key,
      raw: null,
      headers: undefined,
      order: offset,
    };
    this.origin = origin;
    return this.guarded(() => {
      this.run(input, value, origin);
      const watermarkMs = eventTimeMs - this.time.disorderMs;
      if (watermarkMs > this.watermarkMs) this.tick(watermarkMs, origin);
    });
  }

  /** Ends time; returns `false` if the step failed. */
  end(): boolean {
    const origin = { ...noOrigin, offset: this.offset, eventTimeMs: this.watermarkMs };
    return this.guarded(() => this.tick(AFTER_ALL_MS, origin));
  }

  private tick(watermarkMs: number, origin: Origin): void {
    this.watermarkMs = watermarkMs;
    this.origin = undefined;
    this.tellWatermark?.(watermarkMs, origin);
  }

  private emitterAt(origin: Origin, outputs: readonly string[] | undefined): Emit {
    return (value, eventTimeMs, output = 0) => {
      const derived =
        eventTimeMs === undefined ? origin : { ...origin, eventTimeMs, key: null, raw: null, json: undefined };
      const name = outputs && { output: outputs[output] ?? `(no output ${output})` };
      this.emitted.push({ value, origin: derived, ...name });
    };
  }

  takeChanges(): StateChange[] {
    this.tellCheckpoint?.();
    return this.cells.flatMap(({ name, version, cell }) =>
      cell.takeChanges().map(({ bucket, bytes }) => ({ step: this.operator.kind, cell: name, version, bucket, bytes })),
    );
  }

  private guarded(run: () => void): boolean {
    try {
      run();
      return true;
    } catch (error) {
      this.failure = messageOf(error);
      return false;
    }
  }

  private openCells(
    specs: Readonly<Record<string, { readonly version: number; open(): Cell }>>,
    state: readonly StateChange[],
  ): Record<string, Cell> {
    const opened: Record<string, Cell> = {};
    for (const [name, spec] of Object.entries(specs)) {
      const cell = spec.open();
      for (const { cell: of, bucket, bytes, version } of state)
        if (of === name && bytes) cell.restore(bucket, bytes, version);
      this.cells.push({ name, version: spec.version, cell });
      opened[name] = cell;
    }
    return opened;
  }

  private context(): StepContext {
    const watermarkOf = () => this.watermarkMs;
    return {
      get watermarkMs() {
        return watermarkOf();
      },
      topology: 'driven',
      step: this.operator.kind,
      task: 0,
      counter: (name) => ({
        add: (by = 1) => {
          this.counters[name] = (this.counters[name] ?? 0) + by;
        },
      }),
      measure: (name, value, eventTimeMs, of) => {
        this.measures.push({ name, value, eventTimeMs, ...of });
      },
      deadLetter: (reason, detail) => {
        if (!this.origin) throw new MillraceError('internal', 'a dead letter outside the processing of a record');
        this.deadLetters.push({ reason, detail, origin: this.origin });
      },
      fail: (message, hint) => {
        throw new MillraceError('step', message, hint === undefined ? {} : { hint });
      },
    };
  }
}

const noOrigin = noRecord('$end');
