/** The owner of the keys, which the index does not have. */
export interface PlacedKeys {
  /** Whether the key that is being sought is at this place. */
  isSought(place: number): boolean;
}

/** The keys that a part is meant for. */
const PART_KEYS = 4_096;
const PART_BITS_MAX = 16;
const TAG_BITS = 16;
const TAGS = 2 ** TAG_BITS;
/** The tag of a free slot. */
const FREE = 0;
/** A slot: a tag, then the low and the high half of a place. */
const SLOT = 3;
const NOWHERE = -1;
/** Those of a part without keys. */
const NO_SLOTS = new Uint16Array(SLOT);

/**
 * The place of each key by its hash, 32 evenly distributed bits of either sign, without the keys. The first bits choose a part, a
 * small hash table. The last 16 are the *tag*, which says where in its part a search begins. So a part grows within microseconds,
 * without a look at the keys, and no insertion waits for a table of millions of keys. One search in twenty for a missing key compares
 * a key.
 *
 * Slots are filled by linear probing in the order of the tags, so a search ends at the first higher one, and growing is one pass.
 * Source: Amble and Knuth, "Ordered hash tables", The Computer Journal 17 (2), 1974.
 *
 * Memory: 7.7 to 9.7 bytes per key for the largest number of keys so far, up to 15.4 below two fifths of `keysMax`, and up to 300 for each
 * 4,096 of `keysMax`.
 */
export class PlaceIndex {
  size = 0;
  /** The slots of each part, the last of which stays free, their capacity, and its keys. */
  private readonly parts: Uint16Array[];
  private readonly capacities: Int32Array;
  private readonly counts: Int32Array;
  private readonly shift: number;
  /** The slots, all free, of parts that lost their last key: ids that count up leave one part and come to another. */
  private readonly spare: Uint16Array[] = [];
  /** The hash that `find` did not find last, and the slot where it would go (or `NOWHERE`): most keys are added when they were sought in vain. */
  private missedHash = 0;
  private missedAt = NOWHERE;

  constructor(
    keysMax: number,
    private readonly keys: PlacedKeys,
  ) {
    const bits = Math.min(PART_BITS_MAX, Math.max(1, Math.ceil(Math.log2(keysMax / PART_KEYS))));
    this.parts = new Array<Uint16Array>(2 ** bits).fill(NO_SLOTS);
    this.capacities = new Int32Array(2 ** bits);
    this.counts = new Int32Array(2 ** bits);
    this.shift = 32 - bits;
  }

  /** The place of the key that is being sought, or -1. */
  find(hash: number): number {
    const part = hash >>> this.shift;
    const slots = this.parts[part] as Uint16Array;
    const tag = tagOf(hash);
    const first = firstFrom(slots, this.capacities[part] as number, tag);
    for (let at = first; slots[at] === tag; at += SLOT) {
      const place = placeAt(slots, at);
      if (this.keys.isSought(place)) return place;
    }
    this.missedHash = hash;
    this.missedAt = first;
    return NOWHERE;
  }

  /** Adds the place of a key that has none. */
  add(hash: number, place: number): void {
    const part = hash >>> this.shift;
    const tag = tagOf(hash);
    const count = (this.counts[part] as number) + 1;
    this.counts[part] = count;
    this.size++;
    let slots = this.parts[part] as Uint16Array;
    let at: number;
    if (5 * count > 4 * (this.capacities[part] as number)) {
      slots = this.grow(part);
      at = firstFrom(slots, this.capacities[part] as number, tag);
    } else {
      const isMissed = hash === this.missedHash && this.missedAt !== NOWHERE;
      at = isMissed ? this.missedAt : firstFrom(slots, this.capacities[part] as number, tag);
    }
    this.missedAt = NOWHERE;
    let free = freeFrom(slots, at);
    while (free === slots.length - SLOT) {
      slots = this.grow(part);
      at = firstFrom(slots, this.capacities[part] as number, tag);
      free = freeFrom(slots, at);
    }
    for (let to = free + SLOT - 1; to >= at + SLOT; to--) slots[to] = slots[to - SLOT] as number;
    put(slots, at, tag, place);
  }

  /** Removes the place of a key that has one. */
  remove(hash: number, place: number): void {
    const part = hash >>> this.shift;
    const slots = this.parts[part] as Uint16Array;
    const capacity = this.capacities[part] as number;
    this.missedAt = NOWHERE;
    let hole = firstFrom(slots, capacity, tagOf(hash));
    while (placeAt(slots, hole) !== place) hole += SLOT;
    this.counts[part] = (this.counts[part] as number) - 1;
    this.size--;
    // What was pushed behind it moves up, because a free slot ends a search.
    let at = hole + SLOT;
    for (let tag = slots[at] as number; tag !== FREE && homeOf(capacity, tag) < at; tag = slots[at] as number) {
      slots[hole] = tag;
      slots[hole + 1] = slots[at + 1] as number;
      slots[hole + 2] = slots[at + 2] as number;
      hole = at;
      at += SLOT;
    }
    slots[hole] = FREE;
    if (this.counts[part] === 0) this.spare.push(this.exchange(part, NO_SLOTS));
  }

  private grow(part: number): Uint16Array {
    const old = this.parts[part] as Uint16Array;
    const slots = (old === NO_SLOTS ? this.spare.pop() : undefined) ?? grown(old);
    this.exchange(part, slots);
    return slots;
  }

  /** Gives a part other slots, and returns those that it had. */
  private exchange(part: number, slots: Uint16Array): Uint16Array {
    const old = this.parts[part] as Uint16Array;
    this.parts[part] = slots;
    this.capacities[part] = capacityOf(slots);
    return old;
  }
}

const tagOf = (hash: number): number => hash & (TAGS - 1) || 1;

/** The slots where a search may begin: some at the end are left to those that are pushed behind them. */
function capacityOf({ length }: Uint16Array): number {
  const slots = (length / SLOT) | 0;
  return Math.min(slots - 1 - (slots >>> 5), TAGS);
}

/** Spreads the tags over the slots in their order. */
const homeOf = (capacity: number, tag: number): number => SLOT * (Math.imul(tag, capacity) >>> TAG_BITS);

const placeAt = (slots: Uint16Array, at: number): number =>
  ((slots[at + 1] as number) | ((slots[at + 2] as number) << 16)) >>> 0;

/** The first slot with this tag; the one where it would go, if there is none. */
function firstFrom(slots: Uint16Array, capacity: number, tag: number): number {
  let at = homeOf(capacity, tag);
  for (let found = slots[at] as number; found !== FREE && found < tag; found = slots[at] as number) at += SLOT;
  return at;
}

function freeFrom(slots: Uint16Array, from: number): number {
  let at = from;
  while (slots[at] !== FREE) at += SLOT;
  return at;
}

function put(slots: Uint16Array, at: number, tag: number, place: number): void {
  slots[at] = tag;
  slots[at + 1] = place & 0xffff;
  slots[at + 2] = place >>> 16;
}

/** A copy with more slots: twice as many for a small one, a quarter more for others. */
function grown(old: Uint16Array): Uint16Array {
  const count = old.length / SLOT;
  const slots = new Uint16Array(old.length + SLOT * Math.max(32, count < 1_024 ? count : count >>> 2));
  const capacity = capacityOf(slots);
  let next = 0;
  for (let from = 0; from < old.length; from += SLOT) {
    const tag = old[from] as number;
    if (tag === FREE) continue;
    const at = Math.max(next, homeOf(capacity, tag));
    put(slots, at, tag, placeAt(old, from));
    next = at + SLOT;
  }
  return slots;
}
