import type { FeatureArray } from '../../../core/learner.js';
import type { ArenaCell } from '../../../state/index.js';
import { COORDINATE, LEFT, RIGHT, THRESHOLD } from './leaves.js';

/** Words of 8 bytes of a node: its threshold, then as integers its coordinate, its children and nothing. */
const STRIDE = 3;
const COORDINATE_AT = 2;
const LEFT_AT = 3;
const RIGHT_AT = 4;

/**
 * The splits of trees by themselves. A row passes many nodes on its way to a leaf: it reads 24 bytes of each here instead of a whole
 * record of the arena, so the nodes of large forests stay in the caches of a processor. They follow from the nodes and are not stored.
 *
 * Memory: 24 bytes a node.
 */
export class TreePaths {
  private thresholds = new Float64Array(0);
  /** The same bytes. A child is the place of its words, 0 for none: no node is at 0. */
  private links = new Int32Array(0);

  constructor(private readonly nodes: ArenaCell) {
    for (let node = nodes.next(0); node >= 0; node = nodes.next(node + 1)) this.follow(node);
  }

  /** Takes over the split of a node that was added or has changed. */
  follow(node: number): void {
    const { values } = this.nodes;
    const place = this.placeOf(node);
    this.growTo(place + STRIDE);
    const { links } = this;
    this.thresholds[place] = values[node + THRESHOLD] as number;
    links[2 * place + COORDINATE_AT] = values[node + COORDINATE] as number;
    links[2 * place + LEFT_AT] = this.childAt(values[node + LEFT] as number);
    links[2 * place + RIGHT_AT] = this.childAt(values[node + RIGHT] as number);
  }

  /** The leaf that a row ends at, from a node on. */
  leafOf(from: number, dense: FeatureArray): number {
    const { thresholds, links } = this;
    let place = this.placeOf(from);
    for (;;) {
      const left = links[2 * place + LEFT_AT] as number;
      if (left === 0) return (place / STRIDE - 1) * this.nodes.width;
      const x = dense[links[2 * place + COORDINATE_AT] as number] as number;
      place = x <= (thresholds[place] as number) ? left : (links[2 * place + RIGHT_AT] as number);
    }
  }

  private placeOf(node: number): number {
    return STRIDE * (node / this.nodes.width + 1);
  }

  private childAt(link: number): number {
    return link === 0 ? 0 : this.placeOf(link - 1);
  }

  /** Makes room for as many nodes as the arena has room for. */
  private growTo(words: number): void {
    if (words <= this.thresholds.length) return;
    const thresholds = new Float64Array(this.placeOf(this.nodes.values.length));
    thresholds.set(this.thresholds);
    this.thresholds = thresholds;
    this.links = new Int32Array(thresholds.buffer);
  }
}
