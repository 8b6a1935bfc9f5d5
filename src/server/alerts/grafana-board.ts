import { type AlertRule, alertMeasures, type Topology } from '../../topology/index.js';
import { measureOf } from './measures.js';
import { expression } from './rules-file.js';

/** Where a panel is, in columns (24) and rows of the board. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Curve {
  readonly expr: string;
  readonly legend: string;
}

interface Content {
  readonly title: string;
  readonly description: string;
  /** A unit of Grafana. */
  readonly unit: string;
  readonly curves: readonly Curve[];
  readonly rules: readonly AlertRule[];
}

const units: Readonly<Record<(typeof alertMeasures)[number], string>> = {
  lag_records: 'short',
  event_time_lag_seconds: 's',
  records_per_second: 'short',
  dead_letters_per_second: 'short',
  sink_down_seconds: 's',
  restarts_in_10_minutes: 'short',
  blocked_share: 'percentunit',
};

const ACROSS = 3;
const WIDTH = 24 / ACROSS;
const HEIGHT = 8;

/**
 * A board of Grafana for a topology, as JSON to import: a panel for every measure of alerts, with the thresholds of its alerts, and
 * panels for steps, inputs, sinks and models. Measures are computed as the alert rules of Prometheus compute them.
 *
 * @example
 * JSON.parse(grafanaBoard(payments)).title; // 'Millrace: payments'
 */
export const grafanaBoard = (topology: Pick<Topology, 'name' | 'alerts'>): string =>
  `${JSON.stringify(boardOf(topology), null, 2)}\n`;

/** The same as an object: `test/types` holds it against the types of Grafana. */
export function boardOf({ name, alerts }: Pick<Topology, 'name' | 'alerts'>) {
  const watched = [...new Set<AlertRule['measure']>([...alertMeasures, ...alerts.map(({ measure }) => measure)])];
  const contents = [...watched.map((measure) => ofMeasure(measure, name, alerts)), ...details(name)];
  return {
    title: `Millrace: ${name}`,
    tags: ['millrace'],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 39,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [{ type: 'datasource', name: 'datasource', label: 'Prometheus', query: 'prometheus', hide: 0 }],
    },
    panels: contents.map((content, i) => {
      const [x, y] = [(i % ACROSS) * WIDTH, Math.floor(i / ACROSS) * HEIGHT];
      return panelOf(content, i + 1, { x, y, w: WIDTH, h: HEIGHT });
    }),
  } as const;
}

function ofMeasure(measure: AlertRule['measure'], topology: string, alerts: readonly AlertRule[]): Content {
  const { help, promql } = measureOf({ measure });
  const rules = alerts.filter((rule) => rule.measure === measure);
  return {
    title: measure,
    description: [help, ...rules.map((rule) => `alert (${rule.severity}): ${expression(rule, topology)}`)].join('\n'),
    unit: (units as Readonly<Record<string, string>>)[measure] ?? 'short',
    curves: [{ expr: promql(labelsOf(topology)), legend: measure }],
    rules,
  };
}

const labelsOf = (topology: string): string => `topology=${JSON.stringify(topology)}`;

/** What the measures are made of. */
function details(topology: string): Content[] {
  const labels = labelsOf(topology);
  const panel = (title: string, unit: string, description: string, ...curves: Curve[]): Content => ({
    ...{ title, unit, description, curves, rules: [] },
  });
  const rate = (metric: string, by: string, more = '') => `sum by (${by}) (rate(${metric}{${labels}${more}}[1m]))`;
  return [
    panel('Records out of each step', 'short', 'a second; of a sink: written', {
      expr: rate('millrace_step_events_total', 'step', ',event=~"read|out|written"'),
      legend: '{{step}}',
    }),
    panel('Busy share of each step', 'percentunit', 'time in the logic of the step, of all processes', {
      expr: rate('millrace_step_busy_seconds_total', 'step'),
      legend: '{{step}}',
    }),
    panel(
      'Waited for',
      'percentunit',
      'share of time in which a task could not go on because of this step, sink or checkpoint',
      {
        expr: rate('millrace_step_waited_seconds_total', 'step'),
        legend: '{{step}}',
      },
    ),
    panel('Lag of each input', 'short', 'records behind the end of the log', {
      expr: `sum by (source) (millrace_lag_records{${labels}})`,
      legend: '{{source}}',
    }),
    panel('Lag of each input in time', 's', 'from the event time of the next record to now, of the slowest task', {
      expr: `max by (source) (millrace_lag_seconds{${labels}})`,
      legend: '{{source}}',
    }),
    panel('Latency of each step', 's', 'how long ago the source had received 99 % of the records, of all processes', {
      expr: `histogram_quantile(0.99, ${rate('millrace_step_latency_seconds_bucket', 'step, le')})`,
      legend: '{{step}}',
    }),
    panel('Latency from source to sink', 's', 'since the start of the process', {
      expr: `max by (quantile) (millrace_latency_quantile_seconds{${labels}})`,
      legend: '{{quantile}}',
    }),
    panel('Dead letters by reason', 'short', 'a second', {
      expr: rate('millrace_dead_letters_total', 'step, reason'),
      legend: '{{step}}: {{reason}}',
    }),
    panel('Measures', 'short', 'the newest values that steps have measured, such as roc_auc: means over the tasks', {
      expr: `avg by (step, name) (millrace_measure{${labels}})`,
      legend: '{{step}}: {{name}}',
    }),
    panel('Rows scored by ONNX models', 'short', 'a second, and rows that wait', {
      expr: rate('millrace_inference_rows_total', 'model, provider'),
      legend: '{{model}} on {{provider}}',
    }),
  ];
}

function panelOf({ title, description, unit, curves, rules }: Content, id: number, gridPos: Place) {
  const datasource = { type: 'prometheus', uid: '$datasource' };
  return {
    id,
    type: 'timeseries',
    title,
    description,
    datasource,
    gridPos,
    targets: curves.map(({ expr, legend }, i) => ({
      ...{ refId: String.fromCharCode(65 + i), datasource, expr, legendFormat: legend },
    })),
    fieldConfig: {
      defaults: {
        unit,
        thresholds: { mode: 'absolute', steps: thresholds(rules) },
        custom: { thresholdsStyle: { mode: rules.length > 0 ? 'line' : 'off' } },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true, calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  } as const;
}

/** From the lowest up, the colour of the values from each threshold on. */
function thresholds(rules: readonly AlertRule[]) {
  const steps = rules.map(({ above, below = 0, severity }) => {
    const bad = severity === 'critical' ? 'red' : 'orange';
    return above === undefined
      ? { value: below, color: 'green', under: bad }
      : { value: above, color: bad, under: 'green' };
  });
  steps.sort((a, b) => a.value - b.value);
  return [{ value: null, color: steps[0]?.under ?? 'green' }, ...steps.map(({ value, color }) => ({ value, color }))];
}
