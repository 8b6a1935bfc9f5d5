import { MillraceError, type ModelStats, messageOf } from '../../core/index.js';
import { type Cost, type Room, residencyPolicy } from './policy.js';

/** A model as it is brought into memory and out of it. */
export interface Loadable {
  /** The name in messages. */
  readonly name: string;
  readonly isPinned: boolean;
  /** The size of its file: about what it takes, until it was loaded once. */
  readonly fileBytes: number;
  /** Loads it in all workers. */
  load(): Promise<Cost>;
  /** Releases it in all workers. Nobody uses it any more. */
  unload(): Promise<void>;
}

/** The way to a model that may not be in memory. */
export interface Gate {
  /**
   * Does work for which the model must be in memory: at once if it is, and else after it was loaded, in the order of the calls. Rejects
   * with the error of the load.
   */
  hold<T>(work: () => Promise<T>): Promise<T>;
  /** As `hold`, for work that says itself when it is done, by `leave`: so that a row costs no promise here. `fail` is told of a load's error. */
  enter(begin: () => void, fail: (error: unknown) => void): void;
  /** Enters if the model is in memory, and says whether it did: so that a row costs no closure either. */
  enterNow(): boolean;
  leave(): void;
  /** Whether the model is in memory. */
  isOpen(): boolean;
  /** The model, which somebody holds, takes so much more from now on: others may have to leave for it. */
  grow(bytes: number): void;
  /** Does work after the calls that wait, at once if none does. */
  afterWaiting(work: () => void): void;
  stats(): GateStats;
}

export type GateStats = Pick<ModelStats, 'loads' | 'evictions' | 'loadMs' | 'residentBytes'>;

export interface Residents {
  gate(model: Loadable): Gate;
  /** Resolves when nothing waits for a load. */
  idle(): Promise<void>;
}

export interface ResidentsOptions {
  /** What all models may take together, in bytes. */
  readonly memoryMax: number;
  nowMs(): number;
  sleep(ms: number): Promise<void>;
  onWarning(message: string): void;
}

interface Entry extends Loadable {
  readonly id: string;
  readonly waiting: { begin(): void; fail(error: unknown): void }[];
  /** In memory, and not about to leave. */
  isOpen: boolean;
  inUse: number;
  onUnused: (() => void) | undefined;
  /** What it took when it was loaded last. */
  bytes: number;
  loads: number;
  evictions: number;
  loadMs: number;
}

type Excess = Exclude<Room, { readonly missingBytes: number }>;

/**
 * Keeps as many models in memory as fit, and brings others back when rows come for them; see `residencyPolicy` for which ones leave.
 *
 * Guarantees: a model is loaded once, however many calls wait for it, and one model at a time, so that what a load takes for a moment
 * is not taken twice. A model that is in use does not leave: new calls wait, the ones under way end, then it is released. Calls of a
 * model begin in the order in which they were made.
 *
 * Throws `MillraceError('model')` where the file of a model is larger than what the files of the pinned ones leave. One that turns out to
 * take more is kept alone, with a warning.
 *
 * Memory: the models, up to `memoryMax` as measured when each was loaded; the rows of the callers that wait.
 */
export function modelResidents({ memoryMax, nowMs, sleep, onWarning }: ResidentsOptions): Residents {
  const entries = new Map<string, Entry>();
  /** In the order in which the first call came. */
  const wanted: Entry[] = [];
  const policy = residencyPolicy({ bytesMax: memoryMax, modelCount: () => entries.size });
  /** Those that have grown, for which nobody has left yet. */
  const grown: Entry[] = [];
  let loader: Promise<void> | undefined;

  function want(entry: Entry): void {
    if (!wanted.includes(entry)) wanted.push(entry);
    loader ??= loadAll();
  }

  function grow(entry: Entry, bytes: number): void {
    entry.bytes += bytes;
    policy.grew(entry.id, bytes);
    grown.push(entry);
    loader ??= loadAll();
  }

  async function loadAll(): Promise<void> {
    while (grown.length + wanted.length > 0) {
      for (const entry of grown.splice(0)) await settleGrown(entry).catch((error) => onWarning(messageOf(error)));
      const [entry] = wanted;
      if (entry === undefined) continue;
      try {
        await bring(entry);
      } catch (error) {
        wanted.shift();
        for (const { fail } of entry.waiting.splice(0)) fail(error);
        continue;
      }
      wanted.shift();
      entry.isOpen = true;
      for (const { begin } of entry.waiting.splice(0)) begin();
    }
    loader = undefined;
  }

  async function bring(entry: Entry): Promise<void> {
    await makeRoom(entry, entry.bytes);
    const startedMs = nowMs();
    const cost = await entry.load();
    entry.loads++;
    entry.loadMs += nowMs() - startedMs;
    entry.bytes = cost.bytes;
    policy.loaded(entry.id, { ...cost, isPinned: entry.isPinned }, nowMs());
    const room = excess(entry, entry.loads === 1);
    if ('evict' in room) await evictAll(room.evict);
  }

  /** Makes room for what a model takes already, as soon as others may leave. It may have left itself meanwhile. */
  async function settleGrown(entry: Entry): Promise<void> {
    for (let isNew = true; entry.isOpen; isNew = false) {
      const room = excess(entry, isNew);
      if ('evict' in room) return await evictAll(room.evict);
      await sleep(room.waitMs);
    }
  }

  /** What must leave because a model has taken more than expected. */
  function excess(entry: Entry, isNew: boolean): Excess {
    const room = policy.roomFor(0, nowMs(), entry.id);
    if (!('missingBytes' in room)) return room;
    if (isNew) onWarning(`${tooLarge(entry, room.missingBytes).message}; it is kept alone`);
    const rest = policy.roomFor(-Math.ceil(room.missingBytes), nowMs(), entry.id);
    return 'missingBytes' in rest ? { evict: [] } : rest;
  }

  async function makeRoom(entry: Entry, bytes: number): Promise<void> {
    for (;;) {
      const room = policy.roomFor(bytes, nowMs());
      if ('evict' in room) return await evictAll(room.evict);
      if ('waitMs' in room) {
        await sleep(room.waitMs);
        continue;
      }
      // What models take is measured in a process that does other things too, so only their files say for sure that one is too large.
      if (entry.fileBytes + pinnedFileBytes(entry) > memoryMax) throw tooLarge(entry, room.missingBytes);
      return await makeRoom(entry, bytes - Math.ceil(room.missingBytes));
    }
  }

  /** Of the other models that are in memory and stay there. */
  function pinnedFileBytes(but: Entry): number {
    let bytes = 0;
    for (const entry of entries.values()) if (entry !== but && entry.isOpen && entry.isPinned) bytes += entry.fileBytes;
    return bytes;
  }

  async function evictAll(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const entry = entries.get(id) as Entry;
      entry.isOpen = false;
      if (entry.inUse > 0)
        await new Promise<void>((resolve) => {
          entry.onUnused = resolve;
        });
      await entry.unload();
      policy.evicted(id);
      entry.evictions++;
    }
  }

  const tooLarge = ({ name, bytes, isPinned }: Entry, missingBytes: number) =>
    new MillraceError(
      'model',
      `${isPinned ? 'the pinned model' : 'the model'} takes ${mebibytes(bytes)}: ${mebibytes(missingBytes)} of memoryMax (${mebibytes(memoryMax)}) are missing`,
      { where: name, hint: 'raise memoryMax, pin fewer models, or use fewer workers: each has its own copy' },
    );

  function leave(entry: Entry): void {
    entry.inUse--;
    if (entry.inUse > 0) return;
    entry.onUnused?.();
    entry.onUnused = undefined;
  }

  return {
    gate(model) {
      const entry: Entry = {
        ...model,
        id: `${entries.size}`,
        waiting: [],
        ...{ isOpen: false, inUse: 0, onUnused: undefined, bytes: model.fileBytes, loads: 0, evictions: 0, loadMs: 0 },
      };
      entries.set(entry.id, entry);
      const enterNow = () => {
        if (!entry.isOpen) return false;
        policy.used(entry.id);
        entry.inUse++;
        return true;
      };
      const enter: Gate['enter'] = (begin, fail) => {
        if (enterNow()) return begin();
        policy.used(entry.id);
        const use = () => {
          entry.inUse++;
          begin();
        };
        entry.waiting.push({ begin: use, fail });
        want(entry);
      };
      return {
        enter,
        enterNow,
        leave: () => leave(entry),
        isOpen: () => entry.isOpen,
        grow: (bytes) => grow(entry, bytes),
        hold: (work) =>
          new Promise((resolve, reject) => {
            enter(() => {
              const answer = work();
              const left = () => leave(entry);
              answer.then(left, left);
              answer.then(resolve, reject);
            }, reject);
          }),
        afterWaiting(work) {
          if (entry.waiting.length === 0) work();
          else entry.waiting.push({ begin: work, fail: () => {} });
        },
        stats: () => ({
          loads: entry.loads,
          evictions: entry.evictions,
          loadMs: entry.loadMs,
          residentBytes: entry.isOpen ? entry.bytes : 0,
        }),
      };
    },
    async idle() {
      await loader;
    },
  };
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
