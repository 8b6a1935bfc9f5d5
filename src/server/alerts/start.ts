import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../core/errors.js';
import type { RunSnapshot } from '../../runtime/index.js';
import type { Topology } from '../../topology/index.js';
import { retry } from '../../util/retry.js';
import type { AlertGroup, OwnValues } from './group-values.js';
import { ALERTS_EVERY_MS, type Alert, watchAlerts } from './watch.js';

/** An alert that fires or is resolved, as others are told of it. */
export interface AlertNotice {
  /** The same in each repetition. */
  readonly id: string;
  readonly topology: string;
  readonly alert: string;
  readonly state: Alert['state'];
  /** ISO 8601. */
  readonly since: string;
  readonly value: number | undefined;
  readonly why: string;
  readonly severity: Alert['rule']['severity'];
}

export interface AlertsOptions {
  /** Gets a request for each alert that fires or is resolved. */
  readonly webhook: string | undefined;
  /** Keeps each alert that fires or is resolved; it may be called again with one that it has kept. */
  readonly store?: ((notice: AlertNotice) => Promise<void>) | undefined;
  /** The processes that look at the rules together; this one alone by default. */
  readonly group?: AlertGroup | undefined;
  /** How often rules are looked at; every five seconds by default. */
  readonly everyMs?: number;
  onWarning(message: string): void;
}

export interface RunningAlerts {
  states(): readonly Alert[];
  /** What this process has seen, for the others of its group. */
  values(): OwnValues;
  /** Waits for requests that are under way, at most five seconds. */
  close(): Promise<void>;
}

/** What is kept for a webhook or table that does not answer. */
const WAITING_MAX = 1_000;
const ANSWER_MS = 10_000;
const CLOSE_MS = 5_000;
/** A process that gets the first task tells what its predecessor may not have told. */
const UNTOLD_MS = 30_000;

/**
 * Looks at the alert rules of a topology every five seconds, warns of each that fires or is resolved, sends it to the webhook and stores
 * it, each in order. In a group every process looks at the values of all, and one of them tells. A webhook that does not answer with 2xx is asked again with growing pauses, six times in about a minute. Without rules
 * nothing is done.
 */
export function startAlerts(
  { name: topology, alerts }: Pick<Topology, 'name' | 'alerts'>,
  snapshot: () => RunSnapshot,
  { webhook, store, group, everyMs = ALERTS_EVERY_MS, onWarning }: AlertsOptions,
): RunningAlerts {
  if (alerts.length === 0) return { states: () => [], values: () => ({}), close: async () => undefined };
  const watch = watchAlerts(alerts, snapshot, Date.now());
  const targets = [
    ...(webhook === undefined ? [] : [inOrder('webhook', (notice) => post(webhook, notice), onWarning)]),
    ...(store === undefined ? [] : [inOrder('table', store, onWarning)]),
  ];
  let untold: readonly Alert[] = [];
  let isLooking = false;
  const look = async () => {
    const others = (await group?.others()) ?? [];
    const nowMs = Date.now();
    const news = watch.look(nowMs, others);
    untold = [...untold.filter(({ sinceMs }) => nowMs - sinceMs < UNTOLD_MS), ...news];
    if (group && !group.isTeller()) return;
    for (const alert of untold) {
      onWarning(`alert ${alert.state}: ${alert.name} (${alert.why})`);
      for (const target of targets) target.send(noticeOf(topology, alert));
    }
    untold = [];
  };
  const timer = setInterval(() => {
    if (isLooking) return; // another process answers slowly
    isLooking = true;
    look()
      .catch((error: unknown) => onWarning(`alerts cannot be looked at: ${messageOf(error)}`))
      .finally(() => {
        isLooking = false;
      });
  }, everyMs);
  timer.unref();
  return {
    states: () => watch.alerts,
    values: () => watch.values,
    close: async () => {
      clearInterval(timer);
      const leave = new AbortController();
      const tooLong = pause(CLOSE_MS, undefined, { signal: leave.signal }).catch(() => undefined);
      await Promise.race([Promise.all(targets.map((target) => target.sent())), tooLong]);
      leave.abort();
    },
  };
}

/** Tells one of all notices, one after another. */
function inOrder(name: string, tell: (notice: AlertNotice) => Promise<void>, onWarning: (message: string) => void) {
  let sent = Promise.resolve();
  let waiting = 0;
  return {
    send(notice: AlertNotice): void {
      if (waiting >= WAITING_MAX) return;
      waiting += 1;
      sent = sent
        .then(() => tell(notice))
        .catch((error: unknown) => onWarning(`the ${name} of alerts does not accept one: ${messageOf(error)}`))
        .then(() => {
          waiting -= 1;
        });
    },
    sent: () => sent,
  };
}

function noticeOf(topology: string, { name, state, sinceMs, value, why, rule }: Alert): AlertNotice {
  const since = new Date(sinceMs).toISOString();
  return {
    ...{ id: `${topology} ${name} ${state} ${since}`, topology, alert: name, state, since, value, why },
    severity: rule.severity,
  };
}

/** One request. */
async function post(webhook: string, notice: AlertNotice): Promise<void> {
  const body = JSON.stringify(notice);
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
