import { unreadable } from '../codec.js';
import { type Piece, Shard } from './shard.js';

/**
 * Finds the shard of a key by the first bits of its hash: a table with one place for each combination of as many bits as the
 * deepest shard has. Memory: 8 bytes per place.
 */
export class ShardTree {
  private table: Shard[];
  private bits = 0;

  /** @throws MillraceError `state` if shards overlap. */
  constructor(pieces: ReadonlyMap<number, readonly Piece[]>) {
    const branches = new Set<number>();
    for (const node of pieces.keys()) {
      if (!(node >= 1 && node < 2 ** 31)) throw unreadable('a bucket that belongs to no shard');
      for (let above = node >>> 1; above > 0 && !branches.has(above); above >>>= 1) branches.add(above);
    }
    const shards: Shard[] = [];
    const visit = (node: number): void => {
      const own = pieces.get(node);
      if (own && branches.has(node)) throw unreadable('a shard and parts of it');
      if (!branches.has(node)) shards.push(new Shard(node, own));
      else {
        visit(2 * node);
        visit(2 * node + 1);
      }
    };
    visit(1);
    this.table = [];
    this.replace(shards);
  }

  at(hash: number): Shard {
    return this.table[this.bits === 0 ? 0 : hash >>> (32 - this.bits)] as Shard;
  }

  /** Inserts shards, replacing the one that was split into them. */
  replace(shards: readonly Shard[]): void {
    const deepest = shards.reduce((most, { depth }) => Math.max(most, depth), this.bits);
    if (deepest > this.bits || this.table.length === 0) {
      const repeats = 2 ** (deepest - this.bits);
      this.table = this.table.flatMap((shard) => new Array<Shard>(repeats).fill(shard));
      this.bits = deepest;
    }
    for (const shard of shards) {
      const width = 2 ** (this.bits - shard.depth);
      const first = (shard.node - 2 ** shard.depth) * width;
      for (let place = first; place < first + width; place++) this.table[place] = shard;
    }
  }

  /** Every shard in the order of the hashes. If one is split meanwhile, iteration continues after it. */
  *[Symbol.iterator](): Generator<Shard> {
    for (let hash = 0; hash < 2 ** 32; ) {
      const shard = this.at(hash);
      hash = (shard.node - 2 ** shard.depth + 1) * 2 ** (32 - shard.depth);
      yield shard;
    }
  }
}
