import type { Cell, CellSpecs, StateChange } from '../core/index.js';
import { getOrInsert } from '../util/maps.js';
import { COUNTERS_STEP, Counters } from './counters.js';

interface OpenCell {
  readonly step: string;
  readonly name: string;
  readonly version: number;
  readonly cell: Cell;
}

/** The cells of one task: restored when a step opens them, asked for their changes at each epoch. */
export class TaskState {
  readonly counters = new Counters();
  private readonly cells: OpenCell[] = [{ step: COUNTERS_STEP, name: 'counters', version: 1, cell: this.counters }];
  private readonly restored = new Map<string, StateChange[]>();

  constructor(restored: readonly StateChange[]) {
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
      this.cells.push({ step, name, version: spec.version, cell });
      opened[name] = cell;
    }
    return opened;
  }

  /** Takes in a cell that is part of the runtime itself. */
  adopt(step: string, name: string, cell: Cell): void {
    this.restore(step, name, cell);
    this.cells.push({ step, name, version: 1, cell });
  }

  takeChanges(): StateChange[] {
    return this.cells.flatMap(({ step, name, version, cell }) =>
      cell.takeChanges().map(({ bucket, bytes }) => ({ step, cell: name, version, bucket, bytes })),
    );
  }

  private restore(step: string, name: string, cell: Cell): void {
    const key = `${step}/${name}`;
    for (const { bucket, bytes, version } of this.restored.get(key) ?? [])
      if (bytes) cell.restore(bucket, bytes, version);
    this.restored.delete(key); // the bytes belong to the cell now
  }
}
