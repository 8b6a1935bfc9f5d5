import { MillraceError } from '../../core/index.js';
import { backOffMs } from '../../util/retry.js';
import type { Answer } from '../../util/worker-thread.js';
import type { Isolation } from './channel.js';
import type { Ask, LoadedModel, Requests } from './protocol.js';
import { type Limits, type Timed, type WorkerLink, WorkerLost, workerLink } from './worker-link.js';

/** A model as a worker loads it. What is known of it may grow. */
export interface Loading {
  ask: Ask<'load'>;
}

/** A worker that is started on demand, and again after it was lost. */
export interface WorkerSlot {
  /** Loads a model in the current life of the worker, once for each object. Rejects with `WorkerLost` if the worker dies. */
  load(model: Loading): Promise<LoadedModel>;
  /** The model if it is loaded already, so that a batch waits for nothing. */
  loaded(model: Loading): LoadedModel | undefined;
  /** Releases what only this artifact holds. A worker that dies meanwhile holds nothing any more. */
  unload(artifact: string): Promise<void>;
  /** See `WorkerLink`. An answer that says that a session is broken costs the worker its life. */
  run(ask: Ask<'run'>, limits: Limits): Promise<Timed<Answer<Requests, 'run'>>>;
  /** The model in the current life of the worker, if it was loaded there and the worker has nothing to do. */
  idleWith(model: Loading): Promise<LoadedModel> | undefined;
  /** Ends the life of a worker that answers, but wrongly; another takes its place. It does nothing where that life has ended already. */
  giveUp(why: string): void;
  /** Why it is useless to try again: the worker was lost again and again without an answer in between. */
  hopelessness(): MillraceError | undefined;
  close(): Promise<void>;
}

export interface SlotOptions {
  /** The name in warnings. */
  readonly name: string;
  readonly isolation: Isolation;
  /** A worker that was at a request for this long may be hung; see `Limits` for each request. */
  readonly hungFloorMs: number;
  /** Whether the worker takes requests. */
  onUp(isUp: boolean): void;
  readonly onWarning: (message: string) => void;
}

/** The pause before a worker is started again, by losses in a row. */
const backOff = { waitMs: 25, waitMaxMs: 250 };
/** Losses in a row after which callers are told. A row that kills its worker is found by less, in a batch of 65,536 rows. */
const LOSSES_MAX = 24;
/** Threads that hang, and so keep a core each, after which the process must be restarted. */
const STUCK_MAX = 3;
/** A suspension of this process counts as one look of so many. */
const LOOKS = 8;
/** How long a model may take to load: TensorRT builds its engines meanwhile. */
const loadMaxMs = 15 * 60_000;

/** Creates the slot without starting a worker. */
export function workerSlot({ name, isolation, hungFloorMs, onUp, onWarning }: SlotOptions): WorkerSlot {
  let link: Promise<WorkerLink> | undefined;
  /** The link once it is there. */
  let up: WorkerLink | undefined;
  let sessions = new Map<Loading, Promise<LoadedModel>>();
  let loaded = new WeakMap<Loading, LoadedModel>();
  let losses = 0;
  let busy = 0;
  let stuck = 0;
  let lastWhy = '';
  let closed = false;

  function start(): WorkerLink {
    up = workerLink({ isolation, lookMs: hungFloorMs / LOOKS, onLost });
    return up;
  }

  function onLost(why: string, isStuck: boolean): void {
    sessions = new Map();
    loaded = new WeakMap();
    up = undefined;
    if (closed) return;
    losses++;
    lastWhy = why;
    if (isStuck && isolation === 'thread') stuck++;
    onWarning(
      isStuck && isolation === 'thread'
        ? `${name} ${why}: a thread cannot be ended while it scores, so it keeps its core and its memory until this process is restarted; another takes its place`
        : `${name} ${why}; another takes its place, and the rows under way are scored again`,
    );
    onUp(false);
    link = new Promise((resolve) => {
      setTimeout(
        () => {
          resolve(start());
          onUp(true);
        },
        backOffMs(losses, backOff, Math.random),
      );
    });
  }

  function current(): Promise<WorkerLink> {
    if (closed) {
      throw new MillraceError('model', 'the inference service is closed', { hint: 'close it after the last task' });
    }
    link ??= Promise.resolve(start());
    return link;
  }

  return {
    async load(model) {
      const worker = await current();
      let session = sessions.get(model);
      if (session === undefined) {
        session = worker.request('load', model.ask, { hungAfterMs: loadMaxMs }).then(({ answer }) => answer);
        sessions.set(model, session);
        const ofThisLife = sessions;
        const loadedNow = loaded;
        session.then(
          (known) => loadedNow.set(model, known),
          // A model that could not be loaded may be retried.
          () => ofThisLife.delete(model),
        );
      }
      return await session;
    },

    loaded: (model) => (closed ? undefined : loaded.get(model)),

    async unload(artifact) {
      const worker = await link;
      if (worker === undefined || closed) return;
      for (const loading of sessions.keys()) {
        if (loading.ask.artifact !== artifact) continue;
        sessions.delete(loading);
        loaded.delete(loading);
      }
      try {
        await worker.request('unload', { artifact }, { hungAfterMs: loadMaxMs });
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw error;
      }
    },

    async run(ask, { hungAfterMs, ...limits }) {
      const worker = up ?? (await current());
      busy++;
      try {
        const timed = await worker.request('run', ask, { ...limits, hungAfterMs: Math.max(hungFloorMs, hungAfterMs) });
        if (!limits.isCheck) losses = 0;
        return timed;
      } catch (error) {
        if (!(error instanceof MillraceError) || error.code !== 'inference') throw error;
        // No row can be scored any more, not even one that could before: of a device, only a new process or thread gets hold again.
        worker.giveUp(`has a broken session (${error.message})`);
        throw new WorkerLost(error.message, true);
      } finally {
        busy--;
      }
    },

    idleWith: (model) => (busy === 0 ? sessions.get(model) : undefined),

    giveUp: (why) => up?.giveUp(why),

    hopelessness() {
      if (stuck > STUCK_MAX) {
        return new MillraceError('inference', `${stuck} inference threads hang and cannot be ended`, {
          hint: 'restart this process; workers with the isolation `process` are killed instead',
          permanent: true,
        });
      }
      if (losses <= LOSSES_MAX) return undefined;
      return new MillraceError('inference', `the inference worker was lost ${losses} times in a row: it ${lastWhy}`, {
        hint: 'the model cannot be run here, or memory is short; the task is restored, and tries again',
      });
    },

    async close() {
      closed = true;
      await (await link)?.close();
    },
  };
}
