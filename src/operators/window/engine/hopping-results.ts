import type { Accumulator } from '../../../aggregates/accumulator.js';
import type { Pane, PaneCell } from '../../../state/index.js';
import { Columns } from './columns.js';
import type { WindowKey } from './engine.js';
import { type Slices, startOf } from './slices.js';

/** Receives the accumulator of each key of a window; it must read it before it returns. */
export type Visit = (key: WindowKey, numbers: Float64Array, values: readonly unknown[], place: number) => void;

/**
 * Results of windows that share slices, at a cost that does not depend on how many slices a window has.
 *
 * Slices are taken in blocks as long as a window, so a window is the end of one block and the beginning of the next (van
 * Herk, 1992, and Gil and Werman, 1993, for sliding extremes; any merge will do). The ends of a block are made once, from the
 * right: each entry of a slice gets a node that holds what its key did from there to the block's end and leads to the key's
 * next node. The beginning of the next block grows by a slice a window. So an entry is merged twice and a result takes one
 * merge more, whatever the overlap.
 *
 * All of it follows from the slices alone (the shape of every merge and the order of the keys too), so it is no part of the
 * checkpoint: it is made again after a restore, and when a late record changed a slice.
 */
export class HoppingResults<In> {
  private block = Number.NaN;
  /** The window that was asked for last, and the last slice in `begun`. */
  private window = Number.NaN;
  private upTo = Number.NaN;
  private readonly nodes: Columns<In>;
  private nextNode: number[] = [];
  /** Slices of the block: their panes, and the node of each one's first entry. */
  private readonly ends = new Map<
    number,
    { readonly pane: Pane<WindowKey>; readonly size: number; readonly first: number }
  >();
  /** Each key's node in the earliest slice of the window that has the key. */
  private readonly heads = new Map<WindowKey, number>();
  private readonly begun: Columns<In>;
  private readonly beginnings = new Map<WindowKey, number>();
  private readonly scratch: Columns<In>;

  constructor(
    private readonly slices: Slices,
    accumulator: Accumulator<In>,
    private readonly cell: PaneCell<WindowKey>,
  ) {
    this.nodes = new Columns(accumulator);
    this.begun = new Columns(accumulator);
    this.scratch = new Columns(accumulator);
  }

  /** A slice was changed: what was made of it is no longer so. */
  changed(slice: number): void {
    if (slice <= this.upTo) this.block = Number.NaN;
  }

  /** Visits the keys of a window; windows must be asked for in order. */
  visit(window: number, visit: Visit): void {
    this.turnTo(window);
    const { nodes, begun, scratch, beginnings } = this;
    for (const [key, node] of this.heads) {
      const place = beginnings.get(key);
      if (place === undefined) {
        visit(key, nodes.numbers, nodes.values, node);
        continue;
      }
      scratch.clear();
      scratch.add();
      scratch.merge(0, nodes, node);
      scratch.merge(0, begun, place);
      visit(key, scratch.numbers, scratch.values, 0);
    }
    for (const [key, place] of beginnings) if (!this.heads.has(key)) visit(key, begun.numbers, begun.values, place);
  }

  private turnTo(window: number): void {
    const { perWindow } = this.slices;
    const block = Math.floor(window / perWindow);
    if (block !== this.block) this.makeEnds(block, window);
    else for (let slice = this.window; slice < window; slice++) this.leave(slice);
    this.window = window;
    while (this.upTo < window + perWindow - 1) this.begin(++this.upTo);
  }

  private makeEnds(block: number, window: number): void {
    const { slices, nodes, heads, ends } = this;
    nodes.clear();
    heads.clear();
    ends.clear();
    this.nextNode = [];
    this.begun.clear();
    this.beginnings.clear();
    this.block = block;
    this.upTo = (block + 1) * slices.perWindow - 1;
    for (let slice = this.upTo; slice >= window; slice--) {
      const pane = this.cell.at(startOf(slices, slice));
      if (!pane) continue;
      ends.set(slice, { pane, size: pane.size, first: nodes.size });
      for (let slot = 0; slot < pane.size; slot++) {
        const key = pane.keyAt(slot);
        const node = nodes.add();
        nodes.merge(node, pane, slot);
        const next = heads.get(key);
        if (next !== undefined) nodes.merge(node, nodes, next);
        this.nextNode.push(next ?? -1);
        heads.set(key, node);
      }
    }
  }

  /** The window has moved beyond a slice of the block. */
  private leave(slice: number): void {
    const end = this.ends.get(slice);
    if (!end) return;
    for (let slot = 0; slot < end.size; slot++) {
      const key = end.pane.keyAt(slot);
      const next = this.nextNode[end.first + slot] as number;
      if (next < 0) this.heads.delete(key);
      else this.heads.set(key, next);
    }
  }

  /** A slice of the next block has come into the window. */
  private begin(slice: number): void {
    const pane = this.cell.at(startOf(this.slices, slice));
    if (!pane) return;
    const { begun, beginnings } = this;
    for (let slot = 0; slot < pane.size; slot++) {
      const key = pane.keyAt(slot);
      let place = beginnings.get(key);
      if (place === undefined) {
        place = begun.add();
        beginnings.set(key, place);
      }
      begun.merge(place, pane, slot);
    }
  }
}
