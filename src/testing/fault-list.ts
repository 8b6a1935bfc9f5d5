import { ok } from 'node:assert';
import { type ErrorCode, MillraceError, messageOf } from '../core/errors.js';
import type { Fault, FaultProxy, Traffic, Way } from './fault-proxy.js';

/** What may go wrong between a connector and the service that it isReporter to, on either side of it or in between. */
export type FaultName =
  /** Requests end in the middle, at places all over an epoch: a batch is half there. */
  | 'request cut'
  /** The service has done it and its answer is lost, in whole or in part. */
  | 'answer lost'
  /** A request is cut, and so are the attempts to connect anew. */
  | 'cut again'
  /** A connection stays open and nothing comes any more. */
  | 'hang'
  /** Bytes trickle. */
  | 'slow'
  /** Nobody listens, for longer than the connector tries. */
  | 'outage'
  /** The service is killed and comes back with its data. */
  | 'restart'
  /** The service says no, as it does when it is busy or read-only. */
  | 'refused for now'
  /** The service says no and will again: rights, a constraint, a size. */
  | 'refused for good'
  /** Our process dies: before it has prepared, before the checkpoint, before the commit, after it. */
  | 'crash';

/**
 * What the run makes of a fault, the mildest first: the connector tries again and nobody notices; the task fails and is
 * restored from its checkpoint; the run ends with an error that somebody has to do something about.
 */
export const outcomes = ['goes on', 'is restored', 'ends'] as const;
/** What became of the records while something failed. */
export type Outcome = (typeof outcomes)[number];

/** Of each fault that can befall a connector what becomes of it at worst. */
export type Expected = Partial<Readonly<Record<FaultName, Outcome>>>;

/** Parts of what an undisturbed trial has on its way. */
const PLACES = [0, 0.24, 0.48, 0.71, 0.93];

const sweep = (way: Way, traffic: Traffic): readonly (readonly Fault[])[] =>
  PLACES.map((part, i) => [{ does: i % 2 === 0 ? 'cut' : 'reset', in: way, afterBytes: at(traffic, way, part) }]);

const at = (traffic: Traffic, way: Way, part: number): number => Math.floor(traffic[way] * part);

const SLOW_PIECES = 10;

/** What is played for each fault of the network, one trial a script. */
export const scripts: Partial<Readonly<Record<FaultName, (traffic: Traffic) => readonly (readonly Fault[])[]>>> = {
  'request cut': (traffic) => sweep('request', traffic),
  'answer lost': (traffic) => sweep('answer', traffic),
  'cut again': (traffic) => [
    [
      { does: 'cut', in: 'request', afterBytes: at(traffic, 'request', 0.5) },
      { does: 'refuse', connections: 1 },
      { does: 'reset', in: 'answer', afterBytes: 0 },
    ],
  ],
  hang: (traffic) => [
    [{ does: 'hang', in: 'request', afterBytes: at(traffic, 'request', 0.5) }],
    [{ does: 'hang', in: 'answer', afterBytes: at(traffic, 'answer', 0.5) }],
  ],
  slow: ({ request, answer }) => [
    [{ does: 'slow', pieceBytes: Math.max(512, Math.ceil((request + answer) / SLOW_PIECES)), everyMs: 10 }],
  ],
};

/** What some work has on its way: the less of two times, since a busy machine may make something be asked again. */
export async function trafficOf(proxy: FaultProxy, work: () => Promise<unknown>): Promise<Traffic> {
  const once = async (): Promise<Traffic> => {
    const before = proxy.passed;
    await work();
    const { request, answer } = proxy.passed;
    return { request: request - before.request, answer: answer - before.answer };
  };
  const [first, second] = [await once(), await once()];
  return { request: Math.min(first.request, second.request), answer: Math.min(first.answer, second.answer) };
}

/** Whether this may be met by opening the task again: a typed error that another try can mend, and no secret in it. */
export function mustPass(error: unknown, codes: readonly ErrorCode[], secret: string | undefined): void {
  ok(error instanceof MillraceError, `a crash without a type: ${(error as Error)?.stack ?? messageOf(error)}`);
  ok(codes.includes(error.code), `an error of code ${error.code}: ${error.message}`);
  ok(!error.permanent, `said to last: ${error.message}`);
  mustHide(error, secret);
}

/** @throws where a secret stands in an error, its hint or its causes. */
export function mustHide(error: MillraceError, secret: string | undefined): void {
  if (secret === undefined) return;
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const said = JSON.stringify(each, Object.getOwnPropertyNames(each));
    ok(!said.includes(secret), `a secret stands in: ${each.message}`);
  }
}

/** Fails where work takes so long that a run would be given up. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
