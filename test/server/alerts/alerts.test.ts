import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { minutes, seconds } from '../../../src/core/index.js';
import type { RunSnapshot, TaskElsewhere } from '../../../src/runtime/index.js';
import { alertGroup, groupValue } from '../../../src/server/alerts/group-values.js';
import { measureOf } from '../../../src/server/alerts/measures.js';
import { expression, prometheusRules, runbookOf } from '../../../src/server/alerts/rules-file.js';
import { startAlerts } from '../../../src/server/alerts/start.js';
import { watchAlerts } from '../../../src/server/alerts/watch.js';
import { serveMonitoring } from '../../../src/server/http.js';
import { type AlertRule, alertMeasures, check } from '../../../src/topology/index.js';
import { someSnapshot } from '../../cli/snapshot.js';
import { lastingPorts } from '../../ports.js';
import { orders } from '../orders.js';

const rule = (measure: AlertRule['measure'], above: number): AlertRule => ({
  ...{ measure, above, for: seconds(0), severity: 'warning' },
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

type Counted = RunSnapshot['tasks'][number]['counters'][number];

/** A run with one task for each list of counters. */
const counting = (...tasks: readonly (readonly Omit<Counted, 'restored'>[])[]): Pick<RunSnapshot, 'tasks'> => {
  const [task] = someSnapshot().tasks;
  return {
    tasks: tasks.map((counters, partition) => ({
      ...(task as RunSnapshot['tasks'][number]),
      partition,
      counters: counters.map((counter) => ({ restored: 0, ...counter })),
    })),
  };
};

/** The value of a measure at each second of a run. */
function valuesOf(measure: AlertRule['measure'], snapshotAt: (second: number) => Partial<RunSnapshot>, count = 3) {
  let second = 0;
  const watch = watchAlerts([rule(measure, 1e9)], () => ({ ...someSnapshot(), ...snapshotAt(second) }), 0);
  return Array.from({ length: count }, (_, i) => {
    second = i;
    watch.look(1_000 * i);
    return watch.alerts[0]?.value;
  });
}

describe('measures of alerts', () => {
  it('are what a snapshot says', () => {
    const now = someSnapshot();
    expect(valuesOf('lag_records', () => now)).toEqual([5, 5, 5]);
    expect(valuesOf('event_time_lag_seconds', () => now)).toEqual([-1.5, -0.5, 0.5]);
    expect(valuesOf('sink_down_seconds', () => now)).toEqual([0, 0, 1]);
    expect(valuesOf('model/roc_auc', () => now)).toEqual([0.75, 0.75, 0.75]);
    expect(valuesOf('model/accuracy', () => now)).toEqual([undefined, undefined, undefined]);
  });

  it('of counters are rates of what is counted in this process', () => {
    const read = (value: number) => counting([{ step: 'orders', name: 'read', value }]);
    expect(valuesOf('records_per_second', (second) => read(100 * second))).toEqual([undefined, 100, 100]);
    // A task that starts again from its checkpoint.
    expect(valuesOf('records_per_second', (second) => read([50, 90, 70][second] as number))).toEqual([
      undefined,
      40,
      20,
    ]);
    const late = valuesOf('records_per_second', (second) => read(second < 100 ? 0 : 60 * (second - 99)), 131);
    expect(late.at(-1)).toBeCloseTo((60 * 31) / 60, 9); // of the last minute, not since the start
    const restarts = (total: number) => ({
      health: [
        { subtopology: 'orders', partition: 0, restarts: total, stalls: 0, lastRestarts: [], waitsFor: undefined },
      ],
    });
    expect(valuesOf('restarts_in_10_minutes', (second) => restarts(second))).toEqual([undefined, 1, 2]);
  });

  it('of what a step counts are those of the last ten minutes, from its first one on', () => {
    const drifts = (count: number) =>
      counting([
        { step: 'drift', name: 'in', value: 1_000 },
        { step: 'other', name: 'drifts', value: 7 },
        ...(count === 0 ? [] : [{ step: 'drift', name: 'drifts', value: count }]),
      ]);
    const last = (second: number) => (second < 100 ? 0 : second < 400 ? 2 : 5);
    const values = valuesOf('drift/drifts_in_10_minutes', (second) => drifts(last(second)), 1_100);
    expect([0, 99, 100, 399, 400, 699, 710, 999, 1_010].map((second) => values[second])).toEqual([
      ...[undefined, 0, 2, 2, 5, 5, 3, 3, 0],
    ]);
    expect(valuesOf('nobody/drifts_in_10_minutes', () => drifts(1))).toEqual([undefined, undefined, undefined]);
    // A task that comes from another process, goes back and comes again brings what it has counted there.
    const mine = [{ step: 'orders', name: 'read', value: 7 }];
    const moving = (value: number, restored: number) => counting(mine, [{ ...mine[0], value, restored } as Counted]);
    const moves = [counting(mine), moving(5_000, 5_000), moving(5_100, 5_000), counting(mine), moving(8_010, 8_000)];
    expect(valuesOf('records_per_second', (second) => moves[second] as Partial<RunSnapshot>, 5)).toEqual([
      ...[undefined, 0, 50, 100 / 3, 110 / 4],
    ]);
    // What was counted before the process began is no news.
    expect(valuesOf('drift/drifts_in_10_minutes', () => drifts(4))).toEqual([undefined, 0, 0]);
  });
});

describe('alerts of a run', () => {
  it('are sent once when they fire and once when they are resolved, also if the webhook fails at first', async () => {
    const got: Record<string, unknown>[] = [];
    let asked = 0;
    const webhook = createServer((request, response) => {
      let text = '';
      request.on('data', (piece) => {
        text += piece;
      });
      request.on('end', () => {
        asked += 1;
        if (asked > 1) got.push(JSON.parse(text));
        response.writeHead(asked === 1 ? 503 : 204).end();
      });
    });
    await new Promise<void>((resolve) => {
      webhook.listen(0, '127.0.0.1', resolve);
    });
    closing.push(() => webhook.close());
    const warnings: string[] = [];
    let lag = 500;
    const snapshot = () => {
      const usual = someSnapshot();
      return { ...usual, tasks: usual.tasks.map((task) => ({ ...task, lag: { orders: lag } })) };
    };
    const alerts = startAlerts({ name: 'orders', alerts: [rule('lag_records', 100)] }, snapshot, {
      webhook: `http://127.0.0.1:${(webhook.address() as AddressInfo).port}`,
      everyMs: 20,
      onWarning: (message) => warnings.push(message),
    });
    closing.push(() => alerts.close());
    const until = async (is: () => boolean) => {
      while (!is()) await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await until(() => got.length === 1);
    expect(alerts.states()).toMatchObject([{ name: 'lag_records above 100', state: 'firing', value: 500 }]);
    lag = 20;
    await until(() => got.length === 2);
    expect(got).toMatchObject([
      { topology: 'orders', alert: 'lag_records above 100', state: 'firing', value: 500, severity: 'warning' },
      { topology: 'orders', alert: 'lag_records above 100', state: 'resolved', value: 20, severity: 'warning' },
    ]);
    expect(warnings).toEqual([
      'alert firing: lag_records above 100 (records behind the ends of the logs: 500)',
      'alert resolved: lag_records above 100 (records behind the ends of the logs: 20)',
    ]);
  });
});

describe('alerts of a group', () => {
  const values = (measure: string, value: number, of = 1) => ({ [measure]: { value, of } });

  it('compare what the tasks of all processes have together', () => {
    const of = (measure: AlertRule['measure'], ...own: readonly Parameters<typeof groupValue>[2][number][]) =>
      groupValue(measure, measureOf({ measure }), own);
    expect(of('lag_records', values('lag_records', 60), {}, values('lag_records', 70))).toBe(130);
    expect(of('sink_down_seconds', values('sink_down_seconds', 0), values('sink_down_seconds', 9))).toBe(9);
    // The mean over tasks, not over processes.
    expect(of('model/roc_auc', values('model/roc_auc', 0.9, 3), values('model/roc_auc', 0.5, 1))).toBeCloseTo(0.8, 9);
    expect(of('drift/drifts_in_10_minutes', values('drift/drifts_in_10_minutes', 2), {})).toBe(2);
    expect(of('lag_records', {}, {})).toBeUndefined();
    const two = { ...someSnapshot(), measures: [0, 1].flatMap(() => someSnapshot().measures) };
    const watch = watchAlerts([rule('model/roc_auc', 1)], () => two, 0);
    watch.look(0);
    expect(watch.values).toEqual(values('model/roc_auc', 0.75, 2));
  });

  it('are told by the process with the first task that others can ask', () => {
    const { health } = someSnapshot();
    const own = (...partitions: number[]) =>
      partitions.map((partition) => ({ ...(health[0] as (typeof health)[number]), partition }));
    const tells = (mine: RunSnapshot['health'], ...others: readonly (readonly [number, string | undefined])[]) =>
      alertGroup(
        {
          ...{ topology: 'orders', token: undefined },
          elsewhere: () => others.map(([partition, address]) => ({ subtopology: 'orders', partition, address })),
        },
        () => mine,
      ).isTeller();
    const there = 'http://127.0.0.1:9465';
    expect([tells(own(0, 5), [2, there]), tells(own(10), [2, there])]).toEqual([true, false]);
    expect([tells(own(3), [2, undefined]), tells(own(3), [2, 'http://10.0.0.4:80'])]).toEqual([true, true]);
    expect([tells(own()), tells(own(), [2, there])]).toEqual([true, false]);
  });

  it('fire once for all, and are told by the next process if the first dies', async () => {
    const [a = 0, b = 0] = await lastingPorts(2);
    const process = async (port: number, partition: number, others: () => readonly TaskElsewhere[]) => {
      const told: string[] = [];
      const usual = someSnapshot();
      const snapshot = () => ({
        ...{ ...usual, outages: [], health: usual.health.map((each) => ({ ...each, partition })) },
        tasks: usual.tasks.map((task) => ({ ...task, partition, lag: { orders: 60 } })),
      });
      const identity = { topology: 'orders', token: undefined, elsewhere: others };
      const alerts = startAlerts({ name: 'orders', alerts: [rule('lag_records', 100)] }, snapshot, {
        ...{ webhook: undefined, everyMs: 50, onWarning: (message: string) => told.push(message) },
        group: alertGroup(identity, () => snapshot().health),
      });
      const monitoring = await serveMonitoring({
        ...{ host: '127.0.0.1', port, token: undefined, topology: orders, profile: 'cluster' as const, alerts },
        ...{ running: { snapshot, query: async () => ({ kind: 'retry', why: 'not now' }) }, isReady: () => true },
      });
      const close = async () => {
        await alerts.close();
        await monitoring.close();
      };
      closing.push(close);
      return { alerts, told, close };
    };
    const at = (partition: number, port: number) => ({
      ...{ subtopology: 'orders', partition, address: `http://127.0.0.1:${port}` },
    });
    let firstLives = true;
    const second = await process(b, 1, () => (firstLives ? [at(0, a)] : []));
    const first = await process(a, 0, () => [at(1, b)]);
    const message = 'alert firing: lag_records above 100 (records behind the ends of the logs: 120)';
    await expect.poll(() => first.told, { timeout: 10_000 }).toEqual([message]);
    await expect
      .poll(() => second.alerts.states(), { timeout: 10_000 })
      .toMatchObject([{ state: 'firing', value: 120 }]);
    expect(second.told).toEqual([]);
    await first.close();
    firstLives = false;
    await expect.poll(() => second.told[0], { timeout: 10_000 }).toMatch(/^alert firing: lag_records above 100/);
    expect(first.told).toEqual([message]);
  });
});

describe('a rule', () => {
  const all = alertMeasures.map((measure) => ({ ...rule(measure, 10), for: minutes(5) }));

  it('is one of Prometheus too', () => {
    expect(prometheusRules({ name: 'orders', alerts: [{ ...rule('lag_records', 100), for: seconds(90) }] })).toBe(
      `groups:
  - name: "millrace orders"
    rules:
      - alert: "lag_records above 100"
        expr: "sum(millrace_lag_records{topology=\\"orders\\"}) > 100"
        for: 90s
        keep_firing_for: 90s
        labels:
          severity: "warning"
        annotations:
          summary: "orders: records behind the ends of the logs: {{ $value }}"
          runbook: "docs/guide/runbooks.md#lag_records"
`,
    );
    expect(prometheusRules({ name: 'orders', alerts: [] })).toContain('rules: []');
  });

  it('has a section of the runbooks for each measure', () => {
    const page = readFileSync('docs/guide/runbooks.md', 'utf8');
    const anchors = [...page.matchAll(/^## (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replaceAll(' ', '-'));
    const wanted = ([...alertMeasures, 'model/roc_auc'] as const).map((measure) => runbookOf({ measure }));
    expect([...new Set(wanted)].sort()).toEqual(anchors.sort());
  });

  it('asks Prometheus for metrics that /metrics has', async () => {
    const { prometheus } = await import('../../../src/server/prometheus.js');
    const text = await prometheus('orders', someSnapshot).metrics();
    for (const each of [...all, rule('model/roc_auc', 0.7), rule('drift/drifts_in_10_minutes', 0)]) {
      const names = expression(each, 'orders').match(/millrace_\w+/g) ?? [];
      expect(names.length).toBe(1);
      for (const name of names) expect(text).toContain(`# TYPE ${name} `);
    }
  });

  it('that cannot be right is a problem of the topology', () => {
    const problems = (alerts: readonly AlertRule[]) => check({ ...orders, alerts }).map(({ message }) => message);
    expect(problems([...all, rule('dedupe/anything', 1)])).toEqual([]);
    expect(problems([rule('lag' as AlertRule['measure'], 1), rule('nobody/x', 1)])).toEqual([
      'alert 1 (lag) watches an unknown measure',
      'alert 2 (nobody/x) watches an unknown measure',
    ]);
    const { above, ...without } = rule('lag_records', 1);
    expect(above).toBe(1);
    expect(problems([without, { ...rule('lag_records', 1), below: 0 }, rule('lag_records', Number.NaN)])).toEqual([
      ...[1, 2, 3].map((n) => `alert ${n} (lag_records) needs one threshold`),
    ]);
    expect(problems([{ ...rule('lag_records', 1), for: -1 as AlertRule['for'] }])).toEqual([
      'alert 1 (lag_records) has no duration',
    ]);
    expect(problems(Array.from({ length: 101 }, () => rule('lag_records', 1)))).toEqual(['has 101 alerts']);
  });
});
