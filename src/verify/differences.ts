/** What a sink was given in one of two runs: which record it comes from, what it is, and where it lies. */
export interface Entry {
  /** The input record that it comes from, as `topic/partition/offset`; one record may give rise to several entries. */
  readonly id: string;
  /** Equal for equal contents. */
  readonly digest: string;
  /** Where it can be looked at again. */
  readonly at: string;
}

export const kinds = ['lost', 'doubled', 'different', 'strange', 'outOfOrder'] as const;
/**
 * What can be wrong with the disturbed run: it lacks an entry, has one more often than the other, has one with other
 * contents, has one from a record of which the other has none, or has them in another order.
 */
export type Kind = (typeof kinds)[number];

/** One case of something that is wrong: the input record, and where the entry lies in each run. */
export interface Sample {
  readonly kind: Kind;
  readonly id: string;
  readonly calm?: string | undefined;
  readonly disturbed?: string | undefined;
}

/** Of each kind so many cases are kept, to be shown. */
const SAMPLES_MAX = 3;

/** Counts what is wrong, and keeps the first cases of each kind. */
export class Differences {
  /** Entries of the calm run that were compared. */
  compared = 0;
  readonly counts: Record<Kind, number> = { lost: 0, doubled: 0, different: 0, strange: 0, outOfOrder: 0 };
  readonly samples: Sample[] = [];

  add(sample: Sample): void {
    this.counts[sample.kind] += 1;
    if (this.counts[sample.kind] <= SAMPLES_MAX) this.samples.push(sample);
  }

  get total(): number {
    return kinds.reduce((sum, kind) => sum + this.counts[kind], 0);
  }
}

interface Pair {
  readonly calm: Entry[];
  readonly disturbed: Entry[];
}

/**
 * Compares what one task gave to one sink in two runs and writes down what differs. Where the order counts, entries of
 * both runs are held to the order of the first. `known` tells of records that were compared before. Memory: all entries.
 */
export function compareEntries(
  calm: readonly Entry[],
  disturbed: readonly Entry[],
  ordered: boolean,
  found: Differences,
  known: (id: string) => boolean = () => false,
): void {
  found.compared += calm.length;
  const pairs = new Map<string, Pair>();
  const pairOf = (id: string): Pair => {
    const pair = pairs.get(id) ?? { calm: [], disturbed: [] };
    pairs.set(id, pair);
    return pair;
  };
  for (const entry of calm) pairOf(entry.id).calm.push(entry);
  for (const entry of disturbed) pairOf(entry.id).disturbed.push(entry);
  for (const pair of pairs.values()) comparePair(pair, found, known);
  if (ordered) compareOrder(calm, pairs, disturbed, found);
}

/** What one input record gave rise to: the first entries belong together, the rest is too many or too few. */
function comparePair({ calm, disturbed }: Pair, found: Differences, known: (id: string) => boolean): void {
  const both = Math.min(calm.length, disturbed.length);
  for (let n = 0; n < both; n++) {
    const [a, b] = [calm[n] as Entry, disturbed[n] as Entry];
    if (a.digest !== b.digest) found.add({ kind: 'different', id: a.id, calm: a.at, disturbed: b.at });
  }
  for (const { id, at } of calm.slice(both)) found.add({ kind: 'lost', id, calm: at });
  for (const { id, at } of disturbed.slice(both)) {
    const kind = calm.length > 0 || known(id) ? 'doubled' : 'strange';
    found.add({ kind, id, calm: calm[0]?.at, disturbed: at });
  }
}

/** An entry is out of order where one that should come after it came before it. */
function compareOrder(
  calm: readonly Entry[],
  pairs: ReadonlyMap<string, Pair>,
  disturbed: readonly Entry[],
  found: Differences,
): void {
  const places = new Map<Entry, number>(calm.map((entry, place) => [entry, place]));
  const seen = new Map<string, number>();
  let furthest = -1;
  for (const entry of disturbed) {
    const n = seen.get(entry.id) ?? 0;
    seen.set(entry.id, n + 1);
    const twin = pairs.get(entry.id)?.calm[n];
    if (twin === undefined) continue; // counted already
    const place = places.get(twin) as number;
    if (place < furthest) found.add({ kind: 'outOfOrder', id: entry.id, calm: twin.at, disturbed: entry.at });
    furthest = Math.max(furthest, place);
  }
}
