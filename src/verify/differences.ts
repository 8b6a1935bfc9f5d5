/** What a sink was given in one of two runs: which record it comes from, what it is, and where it lies. */
export interface Entry {
  /** The input record that it comes from, as `topic/partition/offset`; one record may give rise to several entries. */
  readonly id: string;
  /** Equal for equal contents. */
  readonly digest: string;
  /** Where it can be looked at again. */
  readonly at: string;
}

export const kinds = ['lost', 'duplicated', 'different', 'unexpected', 'outOfOrder'] as const;
/**
 * The kinds of difference of the faulted run: an entry is missing, is there more often, has other contents, comes from a record that
 * has none in the reference run, or has another place in the order.
 */
export type Kind = (typeof kinds)[number];

/** One case of something that is wrong: the input record, and where the entry lies in each run. */
export interface Sample {
  readonly kind: Kind;
  readonly id: string;
  readonly reference?: string | undefined;
  readonly faulted?: string | undefined;
}

/** Of each kind so many cases are kept, to be shown. */
const SAMPLES_MAX = 3;

/** Counts what is wrong, and keeps the first cases of each kind. */
export class Differences {
  /** Entries of the reference run that were compared. */
  compared = 0;
  readonly counts: Record<Kind, number> = { lost: 0, duplicated: 0, different: 0, unexpected: 0, outOfOrder: 0 };
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
  readonly reference: Entry[];
  readonly faulted: Entry[];
}

/**
 * Compares the entries of one task for one sink in two runs, and collects the differences. If the order counts, it must be that of
 * the reference run. `known` tells whether a record was compared before. Memory: all entries.
 */
export function compareEntries(
  reference: readonly Entry[],
  faulted: readonly Entry[],
  ordered: boolean,
  found: Differences,
  known: (id: string) => boolean = () => false,
): void {
  found.compared += reference.length;
  const pairs = new Map<string, Pair>();
  const pairOf = (id: string): Pair => {
    const pair = pairs.get(id) ?? { reference: [], faulted: [] };
    pairs.set(id, pair);
    return pair;
  };
  for (const entry of reference) pairOf(entry.id).reference.push(entry);
  for (const entry of faulted) pairOf(entry.id).faulted.push(entry);
  for (const pair of pairs.values()) comparePair(pair, found, known);
  if (ordered) compareOrder(reference, pairs, faulted, found);
}

/** What one input record gave rise to: the first entries belong together, the rest is too many or too few. */
function comparePair({ reference, faulted }: Pair, found: Differences, known: (id: string) => boolean): void {
  const both = Math.min(reference.length, faulted.length);
  for (let n = 0; n < both; n++) {
    const [a, b] = [reference[n] as Entry, faulted[n] as Entry];
    if (a.digest !== b.digest) found.add({ kind: 'different', id: a.id, reference: a.at, faulted: b.at });
  }
  for (const { id, at } of reference.slice(both)) found.add({ kind: 'lost', id, reference: at });
  for (const { id, at } of faulted.slice(both)) {
    const kind = reference.length > 0 || known(id) ? 'duplicated' : 'unexpected';
    found.add({ kind, id, reference: reference[0]?.at, faulted: at });
  }
}

/** An entry is out of order where one that should come after it came before it. */
function compareOrder(
  reference: readonly Entry[],
  pairs: ReadonlyMap<string, Pair>,
  faulted: readonly Entry[],
  found: Differences,
): void {
  const places = new Map<Entry, number>(reference.map((entry, place) => [entry, place]));
  const seen = new Map<string, number>();
  let furthest = -1;
  for (const entry of faulted) {
    const n = seen.get(entry.id) ?? 0;
    seen.set(entry.id, n + 1);
    const twin = pairs.get(entry.id)?.reference[n];
    if (twin === undefined) continue; // counted already
    const place = places.get(twin) as number;
    if (place < furthest) found.add({ kind: 'outOfOrder', id: entry.id, reference: twin.at, faulted: entry.at });
    furthest = Math.max(furthest, place);
  }
}
