import { IntIndex } from './int-index.js';

/** Where the entry of each key lies: 32-bit integers in a table of their own, all other keys in a `Map`. */
export class KeyIndex<K extends string | number> {
  private readonly ints = new IntIndex();
  private readonly others = new Map<K, number>();

  get size(): number {
    return this.ints.size + this.others.size;
  }

  /** The place of a key, or -1. */
  get(key: K): number {
    return isInt(key) ? this.ints.get(key) : (this.others.get(key) ?? -1);
  }

  set(key: K, place: number): void {
    if (isInt(key)) this.ints.set(key, place);
    else this.others.set(key, place);
  }

  delete(key: K): void {
    if (isInt(key)) this.ints.delete(key);
    else this.others.delete(key);
  }
}

/** Whether it is a 32-bit integer; -0 is 0, as in a `Map`. */
const isInt = (key: string | number): key is number => typeof key === 'number' && (key | 0) === key;
