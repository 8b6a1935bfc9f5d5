import {
  type BucketChange,
  type Cell,
  type CellSpecs,
  type Counter,
  MillraceError,
  type StateChange,
} from '../core/index.js';
import { getOrInsert } from '../util/maps.js';
import { StateSizes } from './measures/state-sizes.js';

class PlainCounter implements Counter {
  value = 0;
  restored = 0;
  add(by = 1): void {
    this.value += by;
  }
}

/** A counter of a task: its value, and its value when the task was opened. */
export interface CounterEntry {
  readonly step: string;
  readonly name: string;
  readonly value: number;
  readonly restored: number;
}

/** The id of a task's counters in its state; ids of users cannot begin with `$`. */
export const COUNTERS_STEP = '$counters';

/**
 * The cumulative counters of one task. They are a cell of the checkpoint, so work that is repeated after a crash is not counted
 * twice.
 */
export class Counters implements Cell {
  private readonly byStep = new Map<string, Map<string, PlainCounter>>();
  private saved = '';

  of(step: string, name: string): PlainCounter {
    const names = getOrInsert(this.byStep, step, () => new Map<string, PlainCounter>());
    return getOrInsert(names, name, () => new PlainCounter());
  }

  *entries(): Generator<CounterEntry> {
    for (const [step, names] of this.byStep)
      for (const [name, { value, restored }] of names) yield { step, name, value, restored };
  }

  restore(_bucket: number, bytes: Uint8Array): void {
    this.saved = new TextDecoder().decode(bytes);
    for (const [step, name, value] of parse(this.saved)) {
      const counter = this.of(step, name);
      counter.add(value);
      counter.restored = counter.value;
    }
  }

  takeChanges(): BucketChange[] {
    const text = JSON.stringify([...this.entries()].filter((e) => e.value !== 0).map((e) => [e.step, e.name, e.value]));
    if (text === this.saved) return [];
    this.saved = text;
    return [{ bucket: 0, bytes: new TextEncoder().encode(text) }];
  }
}

function parse(text: string): [step: string, name: string, value: number][] {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('state', 'the counters of the checkpoint cannot be read', {
      where: COUNTERS_STEP,
      permanent: true,
      cause,
    });
  }
}

interface OpenCell {
  readonly step: string;
  readonly name: string;
  readonly version: number;
  readonly cell: Cell;
}

/** The cells of one task: restored when a step opens them; each epoch collects their changes. */
export class TaskState {
  readonly counters = new Counters();
  private readonly cells: OpenCell[] = [{ step: COUNTERS_STEP, name: 'counters', version: 1, cell: this.counters }];
  private readonly restored = new Map<string, StateChange[]>();

  readonly sizes = new StateSizes();

  /** `nowMs`: what durations are measured by. */
  constructor(
    restored: readonly StateChange[],
    private readonly nowMs?: () => number,
  ) {
    this.sizes.note(restored);
    for (const change of restored) {
      getOrInsert(this.restored, `${change.step}/${change.cell}`, () => [] as StateChange[]).push(change);
    }
    this.restore(COUNTERS_STEP, 'counters', this.counters);
  }

  open(step: string, specs: CellSpecs): Record<string, Cell> {
    const opened: Record<string, Cell> = {};
    for (const [name, spec] of Object.entries(specs)) {
      const cell = spec.open();
      this.restore(step, name, cell);
      if (this.nowMs) cell.measureBy?.(this.nowMs);
      this.cells.push({ step, name, version: spec.version, cell });
      opened[name] = cell;
    }
    return opened;
  }

  /** Adds a cell of the runtime itself. */
  adopt(step: string, name: string, cell: Cell): void {
    this.restore(step, name, cell);
    this.cells.push({ step, name, version: 1, cell });
  }

  /** Whether the last epoch of a run has more to write than what changed since the one before. */
  get holdsBack(): boolean {
    return this.cells.some(({ cell }) => cell.holdsBack === true);
  }

  /** Does what a restore left for the cells of a step, a part at a time. */
  *catchUp(step: string): Generator<void> {
    for (const { step: of, cell } of this.cells) if (of === step) while (cell.catchUp?.()) yield;
  }

  /** `busyMs`: how long each step has worked since the task was opened. */
  takeChanges(busyMs: ReadonlyMap<string, number> = new Map(), isLast = false): StateChange[] {
    return this.cells.flatMap(({ step, name, version, cell }) =>
      cell
        .takeChanges({ busyMs: busyMs.get(step) ?? 0, isLast })
        .map(({ bucket, bytes }) => ({ step, cell: name, version, bucket, bytes })),
    );
  }

  private restore(step: string, name: string, cell: Cell): void {
    const key = `${step}/${name}`;
    try {
      for (const { bucket, bytes, version } of this.restored.get(key) ?? [])
        if (bytes) cell.restore(bucket, bytes, version);
    } catch (error) {
      throw ofCell(error, key);
    }
    this.restored.delete(key); // the bytes belong to the cell now
  }
}

/** Cells do not know whose they are. */
function ofCell(error: unknown, where: string): unknown {
  if (!(error instanceof MillraceError) || error.where !== undefined) return error;
  const { code, message, hint, permanent } = error;
  return new MillraceError(code, message, { where, permanent, cause: error, ...(hint !== undefined && { hint }) });
}
