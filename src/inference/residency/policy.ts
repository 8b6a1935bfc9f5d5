/** What a model in memory takes, and what it takes to bring it back. */
export interface Cost {
  readonly bytes: number;
  readonly loadMs: number;
}

/** Where a model may go: now, after these are gone; later; or nowhere, since those that must stay leave too little. */
export type Room =
  | { readonly evict: readonly string[] }
  | { readonly waitMs: number }
  | { readonly missingBytes: number };

/** Decides which models are in memory, as pure logic. Models are known by an id. */
export interface ResidencyPolicy {
  /** Rows have come for a model, whether it is in memory or not. */
  used(id: string): void;
  /** What must leave so that `bytes` more fit; not the one with the id `keep`. */
  roomFor(bytes: number, nowMs: number, keep?: string): Room;
  loaded(id: string, cost: Cost & { readonly isPinned: boolean }, nowMs: number): void;
  /** A model in memory takes so much more. */
  grew(id: string, bytes: number): void;
  evicted(id: string): void;
  bytes(): number;
}

export interface ResidencyOptions {
  /** What all models in memory may take. */
  readonly bytesMax: number;
  /** How many models there are, about: uses are forgotten over so many uses of each. */
  modelCount(): number;
}

interface Resident extends Cost {
  readonly isPinned: boolean;
  /** Until then it stays, so that what its load took was worth it. */
  readonly staysUntilMs: number;
}

/** A model stays for so many times what its load took: so loads of one model take a small share of the time. */
export const STAY_FACTOR = 5;
/** Uses of a model count half after so many uses of each model. */
const HALF_LIFE = 10;

/**
 * Keeps the models that save the most time for the memory that they take: the one with the least
 * `recent uses x load time / bytes` leaves first. This is greedy for the knapsack of a steady traffic, as GreedyDual-Size with
 * frequency (Cherkasova 1998) is, with uses that are forgotten exponentially in place of a clock that rises with each eviction. Uses
 * of models that are not in memory are remembered too, so a popular one does not begin at zero when it comes back.
 *
 * A pinned model never leaves. Any other stays for 5 times its load time, so models that push each other out do not keep the workers
 * busy with loads (thrashing).
 *
 * Memory: a number for each model.
 */
export function residencyPolicy({ bytesMax, modelCount }: ResidencyOptions): ResidencyPolicy {
  const residents = new Map<string, Resident>();
  /** Exponentially decayed uses. They are kept in units of `unit`, which grows: so a use touches only its own model. */
  const uses = new Map<string, number>();
  let unit = 1;
  let bytes = 0;
  /** By how much a use is worth more than the one before, for so many models. */
  let growth = { models: 0, factor: 1 };

  function rescale(): void {
    for (const [id, count] of uses) uses.set(id, count / unit);
    unit = 1;
  }

  const worthOf = (id: string, { bytes: taken, loadMs }: Resident): number =>
    ((uses.get(id) ?? 0) * loadMs) / Math.max(1, taken);

  /** A large model that leaves may make room enough without some before it: of those, the ones that are worth most stay. */
  function withoutNeedless(evict: readonly string[], left: number): string[] {
    let spareBytes = -left;
    const needed = [...evict].reverse().filter((id) => {
      const { bytes: taken } = residents.get(id) as Resident;
      const isNeedless = taken <= spareBytes;
      if (isNeedless) spareBytes -= taken;
      return !isNeedless;
    });
    return needed.reverse();
  }

  return {
    used(id) {
      // Nothing ever leaves, and rows that come one by one need not pay for it.
      if (bytesMax === Number.POSITIVE_INFINITY) return;
      const models = Math.max(1, modelCount());
      if (models !== growth.models) growth = { models, factor: 2 ** (1 / (HALF_LIFE * models)) };
      unit *= growth.factor;
      uses.set(id, (uses.get(id) ?? 0) + unit);
      if (unit > 1e100) rescale();
    },

    roomFor(wanted, nowMs, keep) {
      const movable = [...residents]
        .filter(([id, { isPinned }]) => !isPinned && id !== keep)
        .sort((a, b) => worthOf(...a) - worthOf(...b));
      const evict: string[] = [];
      let left = bytes + wanted - bytesMax;
      for (const [id, resident] of movable) {
        if (left <= 0) break;
        if (resident.staysUntilMs > nowMs) continue;
        evict.push(id);
        left -= resident.bytes;
      }
      if (left <= 0) return { evict: withoutNeedless(evict, left) };
      const staying = movable.filter(([id]) => !evict.includes(id));
      const missingBytes = left - staying.reduce((sum, [, resident]) => sum + resident.bytes, 0);
      if (missingBytes > 0) return { missingBytes };
      return { waitMs: Math.min(...staying.map(([, { staysUntilMs }]) => staysUntilMs)) - nowMs };
    },

    loaded(id, { bytes: taken, loadMs, isPinned }, nowMs) {
      residents.set(id, { bytes: taken, loadMs, isPinned, staysUntilMs: nowMs + STAY_FACTOR * loadMs });
      bytes += taken;
    },

    grew(id, more) {
      const resident = residents.get(id) as Resident;
      residents.set(id, { ...resident, bytes: resident.bytes + more });
      bytes += more;
    },

    evicted(id) {
      bytes -= residents.get(id)?.bytes ?? 0;
      residents.delete(id);
    },

    bytes: () => bytes,
  };
}
