import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../core/errors.js';
import type { RunSnapshot } from '../../runtime/index.js';
import type { Topology } from '../../topology/index.js';
import { retry } from '../../util/retry.js';
import { ALERTS_EVERY_MS, type Alert, watchAlerts } from './watch.js';

export interface AlertsOptions {
  /** Gets a request for each alert that fires or is resolved. */
  readonly webhook: string | undefined;
  /** How often rules are looked at; every five seconds by default. */
  readonly everyMs?: number;
  onWarning(message: string): void;
}

export interface RunningAlerts {
  states(): readonly Alert[];
  /** Waits for requests that are under way, at most five seconds. */
  close(): Promise<void>;
}

/** What is kept for a webhook that does not answer. */
const WAITING_MAX = 1_000;
const ANSWER_MS = 10_000;
const CLOSE_MS = 5_000;

/**
 * Looks at the alert rules of a topology every five seconds, warns of each that fires or is resolved, and sends it to the webhook, in
 * order. A webhook that does not answer with 2xx is asked again with growing pauses, six times in about a minute. Without rules nothing
 * is done.
 */
export function startAlerts(
  { name: topology, alerts }: Pick<Topology, 'name' | 'alerts'>,
  snapshot: () => RunSnapshot,
  { webhook, everyMs = ALERTS_EVERY_MS, onWarning }: AlertsOptions,
): RunningAlerts {
  if (alerts.length === 0) return { states: () => [], close: async () => undefined };
  const watch = watchAlerts(alerts, snapshot, Date.now());
  let sent = Promise.resolve();
  let waiting = 0;
  const look = () => {
    for (const alert of watch.look(Date.now())) {
      onWarning(`alert ${alert.state}: ${alert.name} (${alert.why})`);
      if (webhook === undefined || waiting >= WAITING_MAX) continue;
      waiting += 1;
      sent = sent
        .then(() => send(webhook, topology, alert))
        .catch((error: unknown) => onWarning(`the webhook of alerts does not accept one: ${messageOf(error)}`))
        .then(() => {
          waiting -= 1;
        });
    }
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    states: () => watch.alerts,
    close: async () => {
      clearInterval(timer);
      const leave = new AbortController();
      const tooLong = pause(CLOSE_MS, undefined, { signal: leave.signal }).catch(() => undefined);
      await Promise.race([sent, tooLong]);
      leave.abort();
    },
  };
}

/** One request. `id` is the same in each of its repetitions. */
async function send(
  webhook: string,
  topology: string,
  { name, state, sinceMs, value, why, rule }: Alert,
): Promise<void> {
  const since = new Date(sinceMs).toISOString();
  const body = JSON.stringify({
    ...{ id: `${topology} ${name} ${state} ${since}`, topology, alert: name, state, since, value, why },
    severity: rule.severity,
  });
  await retry(
    async () => {
      const answer = await fetch(webhook, {
        ...{ method: 'POST', body, headers: { 'content-type': 'application/json' } },
        ...{ redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) },
      });
      await answer.body?.cancel();
      if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    },
    { attemptsMax: 6, waitMs: 1_000, waitMaxMs: 30_000, retriable: () => true },
  );
}
