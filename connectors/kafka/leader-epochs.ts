/** Changes of leaders that are remembered: the oldest are forgotten, so what was read before them has no known epoch. */
const CHANGES_MAX = 32;

/**
 * Which leaders wrote the records of a partition that were read, by their epochs (KIP-320). A broker that is told the epoch of the last
 * record before an offset sees whether its log has that record, or another one at the same offset.
 *
 * @example
 * const epochs = new LeaderEpochs(100, 4); // record 99 was written in epoch 4
 * epochs.note(120, 5);
 * epochs.before(120); // 4
 * epochs.before(121); // 5
 */
export class LeaderEpochs {
  private readonly changes: { readonly offset: number; readonly epoch: number }[] = [];

  /** Begins with the epoch of the record before an offset; -1 if it is unknown. */
  constructor(offset: number, epoch: number) {
    if (epoch >= 0) this.changes.push({ offset: offset - 1, epoch });
  }

  /** A batch that begins at this offset was read. Offsets and epochs ascend. */
  note(offset: number, epoch: number): void {
    if (epoch < 0 || epoch === this.changes.at(-1)?.epoch) return;
    this.changes.push({ offset, epoch });
    if (this.changes.length > CHANGES_MAX) this.changes.shift();
  }

  /** Of the last record before an offset; -1 if it is unknown. */
  before(offset: number): number {
    return this.changes.findLast((change) => change.offset < offset)?.epoch ?? -1;
  }
}
