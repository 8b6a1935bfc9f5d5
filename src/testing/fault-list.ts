import { ok } from 'node:assert';
import { type ErrorCode, MillraceError, messageOf } from '../core/errors.js';
import type { Fault, FaultProxy, Traffic, Way } from './fault-proxy.js';

/** What may go wrong between a connector and its service, on either side or in between. */
export type FaultName =
  /** Requests end in the middle, at several points of an epoch: a batch arrives partly. */
  | 'request cut'
  /** The service has done the work, and all or part of its answer is lost. */
  | 'answer lost'
  /** A request is cut off, and so are the attempts to reconnect. */
  | 'cut again'
  /** A connection stays open and nothing arrives any more. */
  | 'hang'
  /** Bytes arrive slowly. */
  | 'slow'
  /** Nothing listens, for longer than the connector retries. */
  | 'outage'
  /** The service is killed and restarts with its data. */
  | 'restart'
  /** The service refuses temporarily, because it is busy or read-only. */
  | 'refused for now'
  /** The service refuses permanently: rights, a constraint, a size. */
  | 'refused for good'
  /** The process dies: before prepare, before the checkpoint, before the commit, after it. */
  | 'crash';

/**
 * The outcome of a fault, the mildest first: the connector retries and nothing else happens; the task fails and is restored from
 * its checkpoint; the run ends with an error that needs a user.
 */
export const outcomes = ['goes on', 'is restored', 'ends'] as const;
/** The outcome of a fault for the run. */
export type Outcome = (typeof outcomes)[number];

/** The worst outcome of each fault that a connector can have. */
export type Expected = Partial<Readonly<Record<FaultName, Outcome>>>;

/** Positions in the traffic of an undisturbed trial, as fractions. */
const PLACES = [0, 0.24, 0.48, 0.71, 0.93];

const sweep = (way: Way, traffic: Traffic): readonly (readonly Fault[])[] =>
  PLACES.map((part, i) => [{ does: i % 2 === 0 ? 'cut' : 'reset', in: way, afterBytes: at(traffic, way, part) }]);

const at = (traffic: Traffic, way: Way, part: number): number => Math.floor(traffic[way] * part);

const SLOW_PIECES = 10;
/** Below the short timeouts of the trials, also where a machine is busy. */
const SLOW_MS = 200;

/** The scripts of each network fault, one trial per script. */
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
    [
      {
        does: 'slow',
        pieceBytes: Math.max(512, Math.ceil((request + answer) / SLOW_PIECES)),
        everyMs: 10,
        totalMs: SLOW_MS,
      },
    ],
  ],
};

/** The traffic of some work: the lower of two measurements, since a busy machine may cause retries. */
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

/** Checks that a failure can be handled by reopening the task: a typed, temporary error without a secret. */
export function mustPass(error: unknown, codes: readonly ErrorCode[], secret: string | undefined): void {
  ok(error instanceof MillraceError, `a crash without a type: ${(error as Error)?.stack ?? messageOf(error)}`);
  ok(codes.includes(error.code), `an error of code ${error.code}: ${error.message}`);
  ok(!error.permanent, `said to last: ${error.message}`);
  mustHide(error, secret);
}

/** @throws if an error, its hint or its causes contain a secret. */
export function mustHide(error: MillraceError, secret: string | undefined): void {
  if (secret === undefined) return;
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const said = JSON.stringify(each, Object.getOwnPropertyNames(each));
    ok(!said.includes(secret), `a secret stands in: ${each.message}`);
  }
}

/** Fails if work takes longer than a limit. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
