import type { Picture } from './live.js';

/** How several values of a figure become one: those of a slot, and those of several processes at the same time. */
interface Combining {
  readonly inSlot: 'mean' | 'largest';
  readonly inGroup: 'sum' | 'largest';
}

/** The figures that have a history. The p99 and the thread of a group are those of its worst process. */
const combining = {
  read: { inSlot: 'mean', inGroup: 'sum' },
  written: { inSlot: 'mean', inGroup: 'sum' },
  lag: { inSlot: 'largest', inGroup: 'sum' },
  latency: { inSlot: 'largest', inGroup: 'largest' },
  loop: { inSlot: 'mean', inGroup: 'largest' },
  uncommitted: { inSlot: 'largest', inGroup: 'largest' },
  memory: { inSlot: 'largest', inGroup: 'sum' },
} as const satisfies Readonly<Record<string, Combining>>;

type Figure = keyof typeof combining;
const figures = Object.keys(combining) as readonly Figure[];

const spans = {
  '10m': { everyMs: 1_000, slots: 600 },
  '2h': { everyMs: 10_000, slots: 720 },
} as const;

export type Span = keyof typeof spans;
export const spanNames = Object.keys(spans) as readonly Span[];

/** The history of a process or a group, by figure; the newest value last, `null` where there is none. */
export interface SeenHistory {
  readonly everyMs: number;
  /** The begin of the newest slot. */
  readonly untilMs: number;
  readonly values: Readonly<Record<Figure, readonly (number | null)[]>>;
}

const sampleOf = (picture: Picture): Readonly<Record<Figure, number | null>> => ({
  read: picture.readRate,
  written: picture.writtenRate,
  lag: picture.lag,
  latency: picture.latency?.p99 ?? null,
  loop: picture.loop,
  uncommitted: picture.uncommittedSeconds,
  memory: picture.memoryBytes,
});

/** A ring of slots, each with a value of each figure; `NaN` where there is none. */
class Ring {
  private readonly values: Float32Array;
  private newest = Number.NEGATIVE_INFINITY;
  private inNewest = 0;

  constructor(
    private readonly everyMs: number,
    private readonly slots: number,
  ) {
    this.values = new Float32Array(slots * figures.length).fill(Number.NaN);
  }

  add(atMs: number, sample: ReturnType<typeof sampleOf>): void {
    this.moveTo(Math.floor(atMs / this.everyMs));
    this.inNewest += 1;
    for (const [i, figure] of figures.entries()) {
      const value = sample[figure];
      if (value === null) continue;
      const at = this.placeOf(this.newest, i);
      const known = this.values[at] as number;
      if (Number.isNaN(known)) this.values[at] = value;
      else if (combining[figure].inSlot === 'largest') this.values[at] = Math.max(known, value);
      else this.values[at] = known + (value - known) / this.inNewest;
    }
  }

  read(nowMs: number): SeenHistory {
    this.moveTo(Math.floor(nowMs / this.everyMs));
    const first = this.newest - this.slots + 1;
    const valuesOf = (i: number) =>
      Array.from({ length: this.slots }, (_, slot) => {
        const value = this.values[this.placeOf(first + slot, i)] as number;
        return Number.isNaN(value) ? null : value;
      });
    const all = figures.map((figure, i) => [figure, valuesOf(i)] as const);
    return {
      everyMs: this.everyMs,
      untilMs: this.newest * this.everyMs,
      values: Object.fromEntries(all) as Record<Figure, (number | null)[]>,
    };
  }

  /** Empties the slots in which nobody has looked. */
  private moveTo(slot: number): void {
    if (slot <= this.newest) return;
    for (let next = Math.max(this.newest + 1, slot - this.slots + 1); next <= slot; next++)
      this.values.fill(Number.NaN, this.placeOf(next, 0), this.placeOf(next, 0) + figures.length);
    this.newest = slot;
    this.inNewest = 0;
  }

  private placeOf(slot: number, figure: number): number {
    return (slot % this.slots) * figures.length + figure;
  }
}

/** How long a history goes on after somebody has looked or scraped. */
const KEPT_MS = 10 * 60_000;
const TICK_MS = 1_000;
/** A picture that was made since then is enough: who looks has them made once a second too. */
const RECENT_MS = 900;

export interface History {
  /** Somebody looks or scrapes: from now on a sample a second is kept, until nobody has for ten minutes. */
  look(): void;
  /** Keeps a picture that was made, for whomever. */
  add(picture: Picture): void;
  read(span: Span): SeenHistory;
  close(): void;
}

/**
 * Keeps the newest ten minutes of a process by second, and the newest two hours by ten seconds, of seven figures. It begins when somebody looks
 * at the run or scrapes it, and ends ten minutes after nobody does, so a run that nobody knows pays nothing. Of ten seconds it keeps the
 * mean of rates and of the thread, and the largest value of the others. `ask` has a picture made where nobody else does.
 *
 * Memory: 1,320 slots of seven numbers, 37 kB.
 *
 * @example
 * const history = keepHistory(() => history.add(picture()));
 * history.look();
 * history.read('10m').values.lag; // 600 values, the newest last
 */
export function keepHistory(ask: () => void, nowMs: () => number = Date.now): History {
  const rings = { '10m': ringOf('10m'), '2h': ringOf('2h') };
  let lookedMs = Number.NEGATIVE_INFINITY;
  let addedMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  const rest = () => {
    clearInterval(timer);
    timer = undefined;
  };
  const tick = () => {
    if (nowMs() - lookedMs > KEPT_MS) rest();
    else if (nowMs() - addedMs > RECENT_MS) ask();
  };
  return {
    look() {
      lookedMs = nowMs();
      if (timer !== undefined) return;
      timer = setInterval(tick, TICK_MS);
      timer.unref();
    },
    add(picture) {
      addedMs = nowMs();
      for (const ring of Object.values(rings)) ring.add(addedMs, sampleOf(picture));
    },
    read: (span) => rings[span].read(nowMs()),
    close: rest,
  };
}

const ringOf = (span: Span): Ring => new Ring(spans[span].everyMs, spans[span].slots);

/** The histories of the processes of a group as one, over the time of the first. */
export function mergedHistory(own: SeenHistory, others: readonly SeenHistory[]): SeenHistory {
  const { everyMs, untilMs } = own;
  const merged = (figure: Figure) =>
    own.values[figure].map((value, slot) => {
      // Of another version it may lack a figure.
      const theirs = others.map((other) => other.values?.[figure]?.[slot + (untilMs - other.untilMs) / everyMs]);
      const known = [value, ...theirs].flatMap((each) => each ?? []);
      if (known.length === 0) return null;
      return combining[figure].inGroup === 'sum' ? known.reduce((sum, each) => sum + each, 0) : Math.max(...known);
    });
  const all = figures.map((figure) => [figure, merged(figure)] as const);
  return { everyMs, untilMs, values: Object.fromEntries(all) as Record<Figure, (number | null)[]> };
}
