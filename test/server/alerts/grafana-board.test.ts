import { expect, it } from 'vitest';
import { minutes, seconds } from '../../../src/core/index.js';
import { grafanaBoard } from '../../../src/server/alerts/grafana-board.js';
import { expression } from '../../../src/server/alerts/rules-file.js';
import { prometheus } from '../../../src/server/prometheus.js';
import type { AlertRule } from '../../../src/topology/index.js';
import { someSnapshot } from '../../cli/snapshot.js';

const rules: readonly AlertRule[] = [
  { measure: 'lag_records', above: 100_000, for: minutes(5), severity: 'critical' },
  { measure: 'lag_records', above: 1_000, for: seconds(30), severity: 'warning' },
  { measure: 'model/roc_auc', below: 0.7, for: minutes(30), severity: 'critical' },
];

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig: { readonly defaults: { readonly thresholds: { readonly steps: unknown } } };
}
const board: { readonly title: string; readonly panels: readonly Panel[] } = JSON.parse(
  grafanaBoard({ name: 'orders', alerts: rules }),
);

it('asks for metrics and labels that /metrics has, of this topology', async () => {
  const text = await prometheus('orders', someSnapshot).metrics();
  const targets = board.panels.flatMap((panel) => panel.targets);
  expect(targets.length).toBeGreaterThan(14);
  for (const { expr, legendFormat } of targets) {
    const [name = '', ...others] = expr.match(/millrace_\w+/g) ?? [];
    expect([expr, others]).toEqual([expr, []]);
    expect(expr).toContain('topology="orders"');
    const [sample = ''] = new RegExp(`^${name}\\{.*$`, 'm').exec(text) ?? [];
    expect([name, text.includes(`# TYPE ${name} `)]).toEqual([name, true]);
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
      expect([name, sample, sample.includes(`${label}="`)]).toEqual([name, sample, true]);
  }
});

it('shows each measure with the thresholds and conditions of its alerts, which are those of the rules', () => {
  const stepsOf = (title: string) =>
    board.panels.find((panel) => panel.title === title)?.fieldConfig.defaults.thresholds.steps;
  expect(stepsOf('lag_records')).toEqual([
    { value: null, color: 'green' },
    { value: 1_000, color: 'orange' },
    { value: 100_000, color: 'red' },
  ]);
  expect(stepsOf('model/roc_auc')).toEqual([
    { value: null, color: 'red' },
    { value: 0.7, color: 'green' },
  ]);
  expect(stepsOf('blocked_share')).toEqual([{ value: null, color: 'green' }]);
  for (const rule of rules) {
    const panel = board.panels.find(({ title }) => title === rule.measure);
    expect(panel?.description).toContain(expression(rule, 'orders'));
    expect(expression(rule, 'orders')).toContain(panel?.targets[0]?.expr);
  }
});

it('has panels that do not lie on each other', () => {
  const cells = board.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)}/${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
  expect(Math.max(...board.panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});
