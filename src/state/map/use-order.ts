/** Node 0 stands for no record, between the record used last and the one whose use is the longest ago. Record r is node r + 1. */
const NONE = 0;

/** Records in the order of their last use: a ring in two typed arrays. */
export class UseOrder {
  private later = new Int32Array(1);
  private earlier = new Int32Array(1);

  /** The record whose last use is the longest ago. */
  get oldest(): number {
    return (this.later[NONE] as number) - 1;
  }

  /** Makes room for so many records. */
  growTo(records: number): void {
    const { later, earlier } = this;
    this.later = new Int32Array(1 + records);
    this.later.set(later);
    this.earlier = new Int32Array(1 + records);
    this.earlier.set(earlier);
  }

  /** Makes a record, new or not, the one used last. */
  use(record: number): void {
    const { later, earlier } = this;
    const node = record + 1;
    const last = earlier[NONE] as number;
    if (node === last) return;
    const [before, after] = [earlier[node] as number, later[node] as number];
    // A new one has no neighbours; only the one used last has none after it.
    if (after !== NONE) {
      later[before] = after;
      earlier[after] = before;
    }
    later[last] = node;
    earlier[node] = last;
    later[node] = NONE;
    earlier[NONE] = node;
  }
}
