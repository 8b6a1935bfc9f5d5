import type { RunSnapshot } from '../../runtime/index.js';
import type { AlertRule, alertMeasures } from '../../topology/index.js';

/** How a measure is read from snapshots, and by Prometheus from what `/metrics` says. */
export interface AlertMeasure {
  /** In words, for messages and annotations. */
  readonly help: string;
  /** Its value now; of a counter, the count since the start. */
  read(snapshot: RunSnapshot, nowMs: number): number | undefined;
  /** Over the processes of a group, as in PromQL. */
  readonly inGroup: 'sum' | 'largest' | 'mean';
  /** Of a mean: the number of its values. */
  readonly valuesIn?: (snapshot: RunSnapshot) => number;
  /** For a counter: the time over which it is looked at. */
  readonly window?: { readonly seconds: number; readonly per: 'second' | 'window' };
  /** The same in PromQL; `labels` select the topology. */
  promql(labels: string): string;
}

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
const countOf = ({ counters }: RunSnapshot, is: (name: string) => boolean): number =>
  sumOf(counters.filter(({ name }) => is(name)).map(({ value }) => value));

const ofRuns: Readonly<Record<(typeof alertMeasures)[number], AlertMeasure>> = {
  lag_records: {
    help: 'records behind the ends of the logs',
    inGroup: 'sum',
    read: ({ tasks }) => {
      const lags = tasks.flatMap(({ lag }) => Object.values(lag));
      return lags.length === 0 ? undefined : sumOf(lags);
    },
    promql: (labels) => `sum(millrace_lag_records{${labels}})`,
  },
  event_time_lag_seconds: {
    help: 'seconds between now and the event time that the slowest task has reached',
    inGroup: 'largest',
    read: ({ tasks }, nowMs) => {
      const reached = tasks.map(({ watermarkMs }) => watermarkMs).filter((ms) => Math.abs(ms) < 8.64e15);
      return reached.length === 0 ? undefined : (nowMs - Math.min(...reached)) / 1_000;
    },
    promql: (labels) => `time() - min(millrace_watermark_seconds{${labels}})`,
  },
  records_per_second: {
    help: 'records read a second, over the last minute',
    inGroup: 'sum',
    read: (snapshot) => countOf(snapshot, (name) => name === 'read'),
    window: { seconds: 60, per: 'second' },
    promql: (labels) => `sum(rate(millrace_step_events_total{${labels},event="read"}[1m]))`,
  },
  dead_letters_per_second: {
    help: 'dead letters a second, over the last minute',
    inGroup: 'sum',
    read: (snapshot) => countOf(snapshot, (name) => name.startsWith('dead:')),
    window: { seconds: 60, per: 'second' },
    promql: (labels) => `sum(rate(millrace_dead_letters_total{${labels}}[1m]))`,
  },
  sink_down_seconds: {
    help: 'seconds for which a sink has refused writes',
    inGroup: 'largest',
    read: ({ outages }, nowMs) => Math.max(0, ...outages.map(({ sinceMs }) => (nowMs - sinceMs) / 1_000)),
    promql: (labels) => `max(millrace_sink_down_seconds{${labels}})`,
  },
  restarts_in_10_minutes: {
    help: 'tasks restored from their checkpoints in the last ten minutes',
    inGroup: 'sum',
    read: ({ health }) => sumOf(health.map(({ restarts }) => restarts)),
    window: { seconds: 600, per: 'window' },
    promql: (labels) => `sum(increase(millrace_task_restarts_total{${labels}}[10m]))`,
  },
  blocked_share: {
    help: 'share of the last minute in which tasks waited for steps, sinks and checkpoints, in sum',
    inGroup: 'sum',
    read: ({ tasks }) => sumOf(tasks.map(({ time }) => time.blockedMs / 1_000)),
    window: { seconds: 60, per: 'second' },
    promql: (labels) => `sum(rate(millrace_task_blocked_seconds_total{${labels}}[1m]))`,
  },
};

const COUNTED = '_in_10_minutes';

/** How often a step has counted something. A step that runs and has not counted it yet has the count 0. */
function counted(step: string, name: string): AlertMeasure {
  return {
    help: `${name} of ${step} in the last ten minutes`,
    inGroup: 'sum',
    read: ({ counters }) => {
      const own = counters.filter((each) => each.step === step);
      return own.length === 0 ? undefined : sumOf(own.filter((each) => each.name === name).map(({ value }) => value));
    },
    window: { seconds: 600, per: 'window' },
    promql: (labels) => `sum(increase(millrace_step_events_total{${labels},step="${step}",event="${name}"}[10m]))`,
  };
}

/** The measure of a rule. */
export function measureOf({ measure }: Pick<AlertRule, 'measure'>): AlertMeasure {
  const known = (ofRuns as Readonly<Record<string, AlertMeasure | undefined>>)[measure];
  if (known) return known;
  const at = measure.lastIndexOf('/');
  const [step, name] = [measure.slice(0, at), measure.slice(at + 1)];
  if (name.endsWith(COUNTED)) return counted(step, name.slice(0, -COUNTED.length));
  const valuesOf = ({ measures }: RunSnapshot) =>
    measures.filter((each) => each.step === step && each.name === name).map(({ value }) => value);
  return {
    help: `${name} of ${step}`,
    inGroup: 'mean',
    valuesIn: (snapshot) => valuesOf(snapshot).length,
    read: (snapshot) => {
      const values = valuesOf(snapshot);
      return values.length === 0 ? undefined : sumOf(values) / values.length;
    },
    promql: (labels) => `avg(millrace_measure{${labels},step="${step}",name="${name}"})`,
  };
}
