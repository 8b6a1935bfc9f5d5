import type { FastifyInstance } from 'fastify';
import type { RunSnapshot } from '../runtime/index.js';
import { askOthers, type GroupIdentity } from './group/pass-on.js';
import { type ScaleFigures, scaleFigures } from './scale-figures.js';

/** What an autoscaler reads, of all processes of a group together. */
export interface ScaleSignal {
  /** How long it takes to read what is behind at the present rate. */
  readonly secondsBehind: number;
  readonly recordsBehind: number;
  readonly recordsPerSecond: number;
  /** The one that was asked, and those that run tasks. */
  readonly processes: number;
}

const RETRY_SECONDS = 5;

/**
 * Adds `/scale`, the signal of the group, and `/scale/process`, the figures of this process, which other processes ask for. `/scale` is 503
 * with the reason where the signal is not known: an autoscaler must keep the number of processes then.
 */
export function serveScale(server: FastifyInstance, snapshot: () => RunSnapshot, group: GroupIdentity): void {
  const figures = scaleFigures(snapshot);
  server.get('/scale/process', async () => figures());
  server.get('/scale', async (_, reply) => {
    const { answers, nowhere } = await askOthers<ScaleFigures>(group, '/scale/process');
    const signal =
      nowhere.length > 0
        ? 'tasks move, or run in a process without --port or with another MILLRACE_TOKEN'
        : signalOf([figures(), ...answers]);
    if (typeof signal !== 'string') return signal;
    return reply.code(503).header('retry-after', String(RETRY_SECONDS)).send({ retry: signal });
  });
}

/** The signal, or why there is none. */
export function signalOf(processes: readonly (ScaleFigures | undefined)[]): ScaleSignal | string {
  const heard = processes.flatMap((figures) => figures ?? []);
  if (heard.length < processes.length) return 'a process of the group does not answer';
  const rates = heard.flatMap(({ recordsPerSecond: rate }) => rate ?? []);
  if (rates.length < heard.length) return 'a process restores tasks, or measures its rate from now on';
  const lags = heard.flatMap(({ recordsBehind }) => recordsBehind ?? []);
  if (lags.length === 0) return 'no source tells how many records are behind';
  const recordsBehind = lags.reduce((sum, lag) => sum + lag, 0);
  const recordsPerSecond = rates.reduce((sum, rate) => sum + rate, 0);
  if (recordsBehind > 0 && recordsPerSecond === 0) return 'records are behind, and none was read lately';
  return {
    secondsBehind: recordsBehind === 0 ? 0 : recordsBehind / recordsPerSecond,
    recordsBehind,
    recordsPerSecond,
    processes: processes.length,
  };
}
