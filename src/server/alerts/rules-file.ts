import type { AlertRule, Topology } from '../../topology/index.js';
import { measureOf } from './measures.js';
import { alertName } from './watch.js';

/**
 * The alert rules of a topology as a rule file of Prometheus (2.42 or newer). The conditions are those of the built-in
 * alerts. One difference: an alert of Prometheus is over when the measure has not been beyond the threshold for `for`; a built-in
 * one also wants it to be back by a tenth.
 *
 * @example
 * prometheusRules(payments); // 'groups:\n  - name: "millrace payments"\n ...'
 */
export function prometheusRules({ name, alerts }: Pick<Topology, 'name' | 'alerts'>): string {
  const rules = alerts.flatMap((rule) => {
    const { help } = measureOf(rule);
    return [
      `      - alert: ${quoted(alertName(rule))}`,
      `        expr: ${quoted(expression(rule, name))}`,
      `        for: ${seconds(rule)}`,
      `        keep_firing_for: ${seconds(rule)}`,
      '        labels:',
      `          severity: ${quoted(rule.severity)}`,
      '        annotations:',
      `          summary: ${quoted(`${name}: ${help}: {{ $value }}`)}`,
      `          runbook: ${quoted(`docs/guide/runbooks.md#${runbookOf(rule)}`)}`,
    ];
  });
  const body = rules.length === 0 ? '    rules: []' : `    rules:\n${rules.join('\n')}`;
  return `groups:\n  - name: ${quoted(`millrace ${name}`)}\n${body}\n`;
}

/** The section of the runbooks for a rule. */
export const runbookOf = ({ measure }: Pick<AlertRule, 'measure'>): string =>
  measure.includes('/') ? 'measures-of-steps' : measure;

/** The condition of a rule in PromQL. */
export function expression(rule: AlertRule, topology: string): string {
  const value = measureOf(rule).promql(`topology="${topology}"`);
  return rule.above === undefined ? `${value} < ${rule.below}` : `${value} > ${rule.above}`;
}

const seconds = (rule: AlertRule): string => `${Math.ceil(rule.for / 1_000)}s`;

/** A string of JSON is one of YAML. */
const quoted = (text: string): string => JSON.stringify(text);
