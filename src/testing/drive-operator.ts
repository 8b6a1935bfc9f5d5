import {
  type Cell,
  type Metric,
  MillraceError,
  messageOf,
  type Origin,
  type Shape,
  type StateChange,
  type StepContext,
} from '../core/index.js';

/** What is driven: an operator with or without side inputs, or a splitter. */
export interface Driven {
  readonly kind: string;
  readonly shape: Shape;
}

/** A record for an operator; whatever is not given is made up: offsets count on, event times are 0. */
export interface DrivenInput {
  readonly value: unknown;
  /** 0 for the main input, side inputs from 1, in the operator's order. */
  readonly input?: number;
  readonly eventTimeMs?: number;
  readonly key?: Uint8Array | null;
}

export interface DrivenOutput {
  readonly value: unknown;
  readonly origin: Origin;
  /** Name of the output, for a splitter. */
  readonly output?: string;
}

/** Everything that a step did with the records that it was given. */
export interface Driving {
  readonly emitted: readonly DrivenOutput[];
  readonly deadLetters: readonly { readonly reason: string; readonly detail: string; readonly origin: Origin }[];
  /** Cumulative, those of restored state not included. */
  readonly counters: Readonly<Record<string, number>>;
  readonly measures: readonly Pick<Metric, 'name' | 'value' | 'eventTimeMs'>[];
  /** The message of `context.fail` or of what the operator threw; nothing was driven after it. */
  readonly failure?: string;
}

/**
 * Runs one operator over records, without a topology or a runtime: for its twin test.
 *
 * @example
 * const { emitted, counters } = driveOperator(dedupe(options), [{ value: { id: 1 } }, { value: { id: 1 } }]);
 *
 * All shapes but `batched`. Stops at the first failure and reports it.
 */
export function driveOperator(operator: Driven, inputs: readonly DrivenInput[]): Driving {
  const step = new DrivenStep(operator);
  for (const input of inputs) if (!step.push(input)) break;
  return step;
}

/** One step in the hand: pushed record by record, written out and restored at will. */
export class DrivenStep implements Driving {
  readonly emitted: DrivenOutput[] = [];
  readonly deadLetters: { reason: string; detail: string; origin: Origin }[] = [];
  readonly counters: Record<string, number> = {};
  readonly measures: Pick<Metric, 'name' | 'value' | 'eventTimeMs'>[] = [];
  failure?: string;
  private readonly cells: { readonly name: string; readonly version: number; readonly cell: Cell }[] = [];
  private readonly run: (input: number, value: unknown, origin: Origin) => void;
  private readonly tellWatermark: ((watermarkMs: number) => void) | undefined;
  private origin: Origin | undefined;

  /** `offset` is that of the first record to be pushed; `state` is what the cells are restored from. */
  constructor(
    private readonly operator: Driven,
    private offset = 0,
    state: Iterable<StateChange> = [],
  ) {
    const { shape } = operator;
    const context = this.context();
    if (shape.shape === 'batched')
      throw new MillraceError('internal', 'a batched operator cannot be driven record by record');
    if (shape.shape === 'stateful') {
      const logic = shape.open(this.openCells(shape.cells, [...state]), context);
      this.run = (input, value, origin) =>
        logic.onRecord(input, value, (out) => this.emitted.push({ value: out, origin }), origin);
      this.tellWatermark = (watermarkMs) => logic.onWatermark?.(watermarkMs);
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
  }

  /** Gives the step a record; `false` where it failed. */
  push({ value, input = 0, eventTimeMs = 0, key = null }: DrivenInput): boolean {
    const offset = this.offset++;
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
    return this.guarded(() => this.run(input, value, origin));
  }

  /** Tells the step that a round has ended; `false` where it failed. */
  watermark(watermarkMs: number): boolean {
    this.origin = undefined;
    return this.guarded(() => this.tellWatermark?.(watermarkMs));
  }

  takeChanges(): StateChange[] {
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
    return {
      topology: 'driven',
      step: this.operator.kind,
      task: 0,
      counter: (name) => ({
        add: (by = 1) => {
          this.counters[name] = (this.counters[name] ?? 0) + by;
        },
      }),
      measure: (name, value, eventTimeMs) => {
        this.measures.push({ name, value, eventTimeMs });
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
