import type { BucketChange } from '../../core/index.js';
import { decode, encode, tags } from '../codec.js';
import type { OnePane } from './pane.js';

/** Entries per chunk; and bytes, unless the chunk has one entry: the size of a record that any log accepts. */
const ENTRIES_MAX = 1_024;
const BYTES_MAX = 256 * 1024;
/** Dead entries that are tolerated, however few live ones there are. */
const SLACK = 256;

/** The entries of one pane in a chunk; numbers and values one entry after another. */
type Group<K> = readonly [
  startMs: number,
  slots: readonly number[],
  keys: readonly K[],
  numbers: readonly number[],
  values: readonly unknown[],
];

interface Part<K extends string | number> {
  readonly pane: OnePane<K>;
  readonly slots: readonly number[];
}

/** A chunk of the log, one bucket: entries at the time of writing. */
interface Chunk<K extends string | number> {
  readonly id: number;
  readonly parts: readonly Part<K>[];
  readonly entries: number;
  /** The number of entries whose newest version this is. */
  live: number;
}

/**
 * The changelog of panes as a self-cleaning log. Changes are appended. When the log is more than twice the state, the live entries
 * of the oldest chunks move to its end (as in log-structured file systems: Rosenblum and Ousterhout, 1992). The work is spread over
 * the epochs; none rewrites everything.
 */
export class PaneLog<K extends string | number> {
  /** By id, the oldest first. */
  private readonly chunks = new Map<number, Chunk<K>>();
  private dropped: number[] = [];
  private nextId = 1;
  private entries = 0;

  constructor(
    private readonly numbersEach: number,
    private readonly valuesEach: number,
  ) {}

  take(panes: readonly OnePane<K>[]): BucketChange[] {
    let held = 0;
    let parts: Part<K>[] = [];
    let pending = 0;
    for (const pane of panes) {
      held += pane.size;
      if (pane.changed.length === 0) continue;
      pending += pane.changed.length;
      parts.push({ pane, slots: pane.changed });
    }
    const allowed = 2 * held + SLACK;
    for (const chunk of this.chunks.values()) {
      if (this.entries + pending <= allowed) break;
      const kept = liveParts(chunk);
      for (const { slots } of kept) pending += slots.length;
      parts = parts.concat(kept);
      this.drop(chunk);
    }
    const changes: BucketChange[] = [];
    for (const piece of piecesOf(parts)) this.append(piece, changes);
    for (const pane of panes) if (pane.changed.length > 0) pane.clean();
    for (const bucket of this.dropped) changes.push({ bucket, bytes: null });
    this.dropped = [];
    return changes;
  }

  /** Marks the entries of a pane as dead. */
  forget(pane: OnePane<K>): void {
    pane.gone = true;
    for (let slot = 0; slot < pane.size; slot++) this.leave(pane, slot);
  }

  /** Adds a stored chunk; chunks come in the order of their ids. */
  read(id: number, bytes: Uint8Array, paneOf: (startMs: number) => OnePane<K> | undefined): void {
    const { numbersEach, valuesEach } = this;
    const parts: Part<K>[] = [];
    let entries = 0;
    let live = 0;
    for (const [startMs, slots, keys, numbers, values] of decode(tags.panes, bytes) as Group<K>[]) {
      entries += slots.length;
      const pane = paneOf(startMs);
      if (!pane) continue;
      live += slots.length;
      parts.push({ pane, slots });
      slots.forEach((slot, i) => {
        pane.place(slot, keys[i] as K);
        this.leave(pane, slot);
        pane.chunks[slot] = id;
        for (let n = 0; n < numbersEach; n++)
          pane.numbers[slot * numbersEach + n] = numbers[i * numbersEach + n] as number;
        for (let v = 0; v < valuesEach; v++) pane.values[slot * valuesEach + v] = values[i * valuesEach + v];
      });
    }
    this.chunks.set(id, { id, parts, entries, live });
    this.entries += entries;
    this.nextId = Math.max(this.nextId, id + 1);
  }

  private append(parts: readonly Part<K>[], changes: BucketChange[]): void {
    const bytes = encode(
      tags.panes,
      parts.map((part) => this.groupOf(part)),
    );
    const entries = parts.reduce((sum, { slots }) => sum + slots.length, 0);
    if (bytes.length > BYTES_MAX && entries > 1) {
      for (const half of piecesOf(parts, Math.ceil(entries / 2))) this.append(half, changes);
      return;
    }
    const id = this.nextId++;
    for (const { pane, slots } of parts)
      for (const slot of slots) {
        this.leave(pane, slot);
        pane.chunks[slot] = id;
      }
    const kept = parts.map(({ pane, slots }) => ({ pane, slots: Array.from(slots) }));
    this.chunks.set(id, { id, parts: kept, entries, live: entries });
    this.entries += entries;
    changes.push({ bucket: id, bytes });
  }

  private groupOf({ pane, slots }: Part<K>): Group<K> {
    const { numbersEach, valuesEach } = this;
    const keys: K[] = [];
    const numbers: number[] = [];
    const values: unknown[] = [];
    for (const slot of slots) {
      keys.push(pane.keyAt(slot));
      for (let n = 0; n < numbersEach; n++) numbers.push(pane.numbers[slot * numbersEach + n] as number);
      for (let v = 0; v < valuesEach; v++) values.push(pane.values[slot * valuesEach + v]);
    }
    return [pane.startMs, slots, keys, numbers, values];
  }

  /** Marks an entry's newest version as outdated. */
  private leave(pane: OnePane<K>, slot: number): void {
    const chunk = this.chunks.get(pane.chunks[slot] as number);
    pane.chunks[slot] = 0;
    if (chunk && --chunk.live === 0) this.drop(chunk);
  }

  private drop({ id, entries }: Chunk<K>): void {
    if (!this.chunks.delete(id)) return;
    this.entries -= entries;
    this.dropped.push(id);
  }
}

/** The entries of a chunk that are the newest version and will not be written anyway. */
function liveParts<K extends string | number>({ id, parts }: Chunk<K>): Part<K>[] {
  return parts
    .filter(({ pane }) => !pane.gone)
    .map(({ pane, slots }) => ({
      pane,
      slots: slots.filter((slot) => pane.chunks[slot] === id && !pane.isDirty(slot)),
    }))
    .filter(({ slots }) => slots.length > 0);
}

/** Divides parts into pieces of at most so many entries. */
function* piecesOf<K extends string | number>(
  parts: readonly Part<K>[],
  entriesMax = ENTRIES_MAX,
): Generator<readonly Part<K>[]> {
  let piece: Part<K>[] = [];
  let room = entriesMax;
  for (const { pane, slots } of parts)
    for (let at = 0; at < slots.length; ) {
      const taken = slots.slice(at, at + room);
      piece.push({ pane, slots: taken });
      at += taken.length;
      room -= taken.length;
      if (room > 0) continue;
      yield piece;
      piece = [];
      room = entriesMax;
    }
  if (piece.length > 0) yield piece;
}
