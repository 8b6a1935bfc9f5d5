import type { RunSnapshot } from '../../runtime/index.js';
import type { AlertRule } from '../../topology/index.js';
import { groupValue, type OwnValues } from './group-values.js';
import { measureOf } from './measures.js';
import { ownCounts } from './own-counts.js';
import { type AlertState, initialState, nextState } from './rule-state.js';

/** A rule, where it stands, and why. */
export interface Alert extends AlertState {
  readonly rule: AlertRule;
  readonly name: string;
  /** The condition in words. */
  readonly why: string;
}

/** How often rules are looked at: as Prometheus would, a few times a minute. */
export const ALERTS_EVERY_MS = 5_000;

/** `lag_records above 100000`: the name of a rule, and its condition. */
export const alertName = ({ measure, above, below }: AlertRule): string =>
  `${measure} ${above === undefined ? `below ${below}` : `above ${above}`}`;

/**
 * Looks at the alert rules of a run at each call of `look`, over this process and the `others` of its group. Returns the alerts that have
 * changed to firing or resolved.
 *
 * Memory: for each rule its state and, of a counter, its values over the window of the measure; a number for each task and counter.
 *
 * @example
 * const watch = watchAlerts(topology.alerts, running.snapshot, Date.now());
 * for (const { name, state } of watch.look(Date.now())) notify(`${name}: ${state}`);
 */
export function watchAlerts(rules: readonly AlertRule[], snapshot: () => RunSnapshot, startedMs: number) {
  const all = rules.map((rule) => ({ rule, state: initialState(startedMs), seen: [] as Seen[] }));
  const counted = ownCounts();
  let values: OwnValues = {};
  const ownValues = (nowMs: number): OwnValues => {
    const whole = snapshot();
    const now = { ...whole, counters: counted(whole.tasks) };
    const known = all.flatMap(({ rule, seen }) => {
      const value = valueNow(rule, seen, now, nowMs);
      return value === undefined ? [] : [[rule.measure, { value, of: measureOf(rule).valuesIn?.(now) ?? 1 }] as const];
    });
    return Object.fromEntries(known);
  };
  return {
    look(nowMs: number, others: readonly OwnValues[] = []): readonly Alert[] {
      values = ownValues(nowMs);
      return all.flatMap((each) => {
        const before = each.state;
        const { measure } = each.rule;
        const value = groupValue(measure, measureOf(each.rule), [values, ...others]);
        each.state = nextState(each.rule, before, value, nowMs);
        const isNews = each.state.state !== before.state && ['firing', 'resolved'].includes(each.state.state);
        return isNews ? [alertOf(each)] : [];
      });
    },
    get alerts(): readonly Alert[] {
      return all.map(alertOf);
    },
    /** What this process saw at the last look. */
    get values(): OwnValues {
      return values;
    },
  };
}

/** The count of a counter at a time. */
interface Seen {
  readonly atMs: number;
  readonly count: number;
}

function valueNow(rule: AlertRule, seen: Seen[], snapshot: RunSnapshot, nowMs: number): number | undefined {
  const { read, window } = measureOf(rule);
  const value = read(snapshot, nowMs);
  if (window === undefined || value === undefined) return value;
  // A counter that fell was that of a task that has left: it begins anew.
  if (value < (seen.at(-1)?.count ?? value)) seen.length = 0;
  seen.push({ atMs: nowMs, count: value });
  // The oldest one inside the window, or just before it.
  while (seen.length > 2 && (seen[1] as Seen).atMs <= nowMs - window.seconds * 1_000) seen.shift();
  const [first] = seen as [Seen];
  const seconds = (nowMs - first.atMs) / 1_000;
  if (seconds === 0) return undefined;
  return window.per === 'second' ? (value - first.count) / seconds : value - first.count;
}

const alertOf = ({ rule, state }: { readonly rule: AlertRule; readonly state: AlertState }): Alert => ({
  ...state,
  rule,
  name: alertName(rule),
  why: `${measureOf(rule).help}: ${state.value ?? 'no value yet'}`,
});
