import type { WrittenEntry } from '../core/written.js';
import { getOrInsert } from '../util/maps.js';
import { compareEntries, type Differences, type Entry } from './differences.js';

/** Entries of both runs that have no counterpart yet. */
interface Open {
  reference: Entry[];
  faulted: Entry[];
  /** How many of each are settled, from the front. */
  settled: number;
  /** They differed once: what is left is compared at the end. */
  parted: boolean;
  /** Of each input partition, the furthest record that is settled. */
  readonly furthest: Map<string, number>;
}

/** Settled entries are taken off the lists in pieces of this size. */
const PIECE = 4_096;

/**
 * Compares two logs while they are read, sequence by sequence. As long as both are equal, only the entries that one run is ahead of
 * the other are kept; after the first difference of a sequence, all of its entries are kept.
 */
export class EntryStreams {
  private readonly sequences = new Map<string, Open>();

  constructor(
    private readonly ordered: boolean,
    private readonly found: Differences,
  ) {}

  add(run: 'reference' | 'faulted', { sequence = '', ...entry }: WrittenEntry): void {
    const open = getOrInsert(this.sequences, sequence, () => ({
      reference: [],
      faulted: [],
      settled: 0,
      parted: false,
      furthest: new Map(),
    }));
    open[run].push(entry);
    if (!open.parted && this.ordered) this.settle(open);
  }

  /** Both logs are read: what is left has no counterpart, or differs. */
  end(): void {
    for (const open of this.sequences.values()) {
      const { reference, faulted, settled, furthest } = open;
      const known = (id: string): boolean => {
        const { input, offset } = placeOf(id);
        return offset <= (furthest.get(input) ?? -1);
      };
      compareEntries(reference.slice(settled), faulted.slice(settled), this.ordered, this.found, known);
    }
    this.sequences.clear();
  }

  private settle(open: Open): void {
    for (;;) {
      const [a, b] = [open.reference[open.settled], open.faulted[open.settled]];
      if (a === undefined || b === undefined) break;
      if (a.id !== b.id || a.digest !== b.digest) {
        open.parted = true;
        break;
      }
      open.settled += 1;
      const { input, offset } = placeOf(a.id);
      open.furthest.set(input, Math.max(offset, open.furthest.get(input) ?? -1));
      this.found.compared += 1;
    }
    if (open.settled < PIECE) return;
    open.reference = open.reference.slice(open.settled);
    open.faulted = open.faulted.slice(open.settled);
    open.settled = 0;
  }
}

function placeOf(id: string): { readonly input: string; readonly offset: number } {
  const slash = id.lastIndexOf('/');
  return { input: id.slice(0, slash), offset: Number(id.slice(slash + 1)) };
}
