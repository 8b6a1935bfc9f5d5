import { type Answer, errorOf, type Reply } from '../../util/worker-thread.js';
import { type Channel, type Isolation, openChannel } from './channel.js';
import type { Ask, Requests } from './protocol.js';

/** Why a request has no answer: its worker died or hangs. */
export class WorkerLost extends Error {
  override readonly name = 'WorkerLost';
  constructor(
    readonly why: string,
    /** The worker was at this request; those behind it have nothing to do with it. */
    readonly isCause: boolean,
  ) {
    super(`the inference worker ${why}`);
  }
}

/** One life of a worker: it answers requests in their order until it dies, hangs, or is closed. */
export interface WorkerLink {
  /**
   * The answer, and the milliseconds that the worker was at it. Rejects with `WorkerLost`, or with the `MillraceError` that the worker
   * answers. `hungAfterMs` is how long the worker may be at it.
   */
  request<K extends keyof Requests>(kind: K, ask: Ask<K>, limits: Limits): Promise<Timed<Answer<Requests, K>>>;
  /** Gives up a worker that answers, but cannot be used any more: every request without an answer rejects. */
  giveUp(why: string): void;
  /** Waits for the requests under way, releases the sessions and ends the worker. */
  close(): Promise<void>;
}

export interface Limits {
  readonly hungAfterMs: number;
  /** An answer says nothing of whether rows can be scored: it asks what is always the same. */
  readonly isCheck?: boolean;
  readonly transfer?: readonly ArrayBuffer[];
}

export interface Timed<T> {
  readonly answer: T;
  readonly ms: number;
}

export interface LinkOptions {
  readonly isolation: Isolation;
  /** How often it is looked whether the worker hangs. A suspension of this process counts as one look. */
  readonly lookMs: number;
  /** Called once, before the requests without an answer reject. */
  onLost(why: string, isStuck: boolean): void;
}

interface Pending {
  readonly id: number;
  readonly hungAfterMs: number;
  readonly resolve: (timed: Timed<never>) => void;
  readonly reject: (error: Error) => void;
}

/** How long a worker may take to release its sessions. */
const closeMaxMs = 10_000;

/** Starts a worker. An idle worker does not keep the process alive. */
export function workerLink({ isolation, lookMs, onLost }: LinkOptions): WorkerLink {
  /** In the order of the requests: the worker is at the first. */
  const pending: Pending[] = [];
  let lastId = 0;
  let headSinceMs = 0;
  let end: string | undefined;
  let looks = 0;
  let seen: Pending | undefined;

  function settle(reply: Reply): void {
    const [asked] = pending;
    if (asked?.id !== reply.id) return;
    pending.shift();
    const nowMs = performance.now();
    const ms = nowMs - headSinceMs;
    headSinceMs = nowMs;
    if (pending.length === 0) channel.hold(false);
    if ('answer' in reply) asked.resolve({ answer: reply.answer as never, ms });
    else asked.reject(errorOf(reply));
  }

  function lose(why: string, isStuck: boolean): void {
    if (end !== undefined) return;
    end = why;
    clearInterval(watch);
    onLost(why, isStuck);
    for (const [i, { reject }] of pending.splice(0).entries()) reject(new WorkerLost(why, i === 0));
    channel.hold(false);
  }

  function giveUp(why: string, isStuck: boolean): void {
    if (end !== undefined) return;
    channel.giveUp(isStuck);
    lose(why, isStuck);
  }

  function look(): void {
    const [head] = pending;
    looks = head !== undefined && head === seen ? looks + 1 : 0;
    seen = head;
    if (head !== undefined && looks * lookMs >= head.hungAfterMs)
      giveUp(`hangs (no answer for ${Math.round(looks * lookMs) / 1_000} s)`, true);
  }

  const channel: Channel = openChannel(isolation, { onReply: settle, onDeath: (why) => lose(why, false) });
  const watch = setInterval(look, lookMs).unref();

  const link: WorkerLink = {
    request(kind, ask, { hungAfterMs, transfer = [] }) {
      return new Promise((resolve, reject) => {
        if (end !== undefined) {
          reject(new WorkerLost(end, false));
          return;
        }
        const id = ++lastId;
        // What cannot be sent throws: nobody waits for it then.
        channel.post({ id, kind, ask }, transfer);
        if (pending.length === 0) {
          headSinceMs = performance.now();
          channel.hold(true);
        }
        pending.push({ id, hungAfterMs, resolve, reject });
      });
    },
    giveUp: (why) => giveUp(why, false),
    async close() {
      if (end !== undefined) return;
      try {
        await link.request('close', {}, { hungAfterMs: closeMaxMs });
        channel.hold(true);
        await channel.gone;
      } catch (error) {
        if (!(error instanceof WorkerLost)) throw error;
      }
    },
  };
  return link;
}
