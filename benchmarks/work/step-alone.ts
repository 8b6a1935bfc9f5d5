import {
  BEFORE_ALL_MS,
  type Cell,
  type Emit,
  MillraceError,
  noRecord,
  type Origin,
  type Shape,
} from '../../src/core/index.js';

/**
 * One stateful step without a runtime: what the operator itself costs. The watermark rises with every record that moves
 * it, as in a task; state changes are taken as an epoch takes them, and added up instead of stored.
 */
export class StepAlone {
  emitted = 0;
  /** Bytes of state changes so far, and what a changelog that is compacted keeps of them. */
  written = 0;
  kept = 0;
  private readonly cells: Cell[] = [];
  private readonly buckets: Map<number, number>[] = [];
  private readonly push: (value: unknown, timeMs: number, input: number) => void;
  private readonly settle: (() => void) | undefined;
  private watermarkMs = BEFORE_ALL_MS;

  constructor({ shape }: { readonly shape: Shape }, disorderMs: number) {
    if (shape.shape !== 'stateful') throw new MillraceError('internal', 'only stateful steps are run alone');
    const opened = Object.fromEntries(
      Object.entries(shape.cells).map(([name, spec]) => [name, this.keep(spec.open())]),
    );
    const watermarkOf = () => this.watermarkMs;
    const logic = shape.open(opened, {
      topology: 'benchmark',
      step: 'alone',
      task: 0,
      get watermarkMs() {
        return watermarkOf();
      },
      counter: () => ({ add: () => {} }),
      measure: () => {},
      deadLetter: () => {},
      fail: (message) => {
        throw new MillraceError('step', message);
      },
    });
    this.settle = logic.onCheckpoint?.bind(logic);
    const origin = { ...nowhere };
    const emit: Emit = () => {
      this.emitted++;
    };
    this.push = (value, timeMs, input) => {
      origin.eventTimeMs = timeMs;
      logic.onRecord(input, value, emit, origin);
      if (timeMs - disorderMs <= this.watermarkMs) return;
      this.watermarkMs = timeMs - disorderMs;
      logic.onWatermark?.(this.watermarkMs, emit);
    };
  }

  record(value: unknown, timeMs: number, input = 0): void {
    this.push(value, timeMs, input);
  }

  epoch(): void {
    this.settle?.();
    this.cells.forEach((cell, i) => {
      const buckets = this.buckets[i] as Map<number, number>;
      for (const { bucket, bytes } of cell.takeChanges()) {
        this.written += bytes?.length ?? 0;
        this.kept += (bytes?.length ?? 0) - (buckets.get(bucket) ?? 0);
        if (bytes) buckets.set(bucket, bytes.length);
        else buckets.delete(bucket);
      }
    });
  }

  private keep(cell: Cell): Cell {
    this.cells.push(cell);
    this.buckets.push(new Map());
    return cell;
  }
}

const nowhere: { -readonly [P in keyof Origin]: Origin[P] } = noRecord('$benchmark');
