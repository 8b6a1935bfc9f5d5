import { describe, expect, it } from 'vitest';
import { kafka } from '../../connectors/kafka/index.js';
import { hours, json, topology } from '../../src/index.js';
import { accuracy } from '../../src/ml.js';
import { evaluate } from '../../src/operators/ml/evaluate.js';
import type { Measurement } from '../../src/runtime/index.js';
import { mergedMetric, metricKey, metricsOf } from '../../src/server/metric-figures.js';

interface Row {
  readonly id: string;
  readonly version: string;
}
const source = (topic: string) => kafka.source<Row>({ topic, schema: json<Row>() });
const scored = topology('scored', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const labels = t.source('labels', source('labels'));
  t.source('rows', source('rows'))
    .via(
      'versions',
      { labels },
      evaluate({
        prediction: { key: ({ id }) => id, value: () => true, version: ({ version }) => version },
        label: { key: ({ id }) => id, value: () => true },
        ...{ wait: hours(1), every: hours(1), pendingMax: 10 },
        metrics: { right: accuracy() },
        measured: ['right'],
      }),
    )
    .to('out', kafka.sink({ topic: 'out', schema: json() }));
});

const measured = (
  step: string,
  task: number,
  value: number,
  more: Partial<Measurement['row']> = {},
  interval?: Measurement['interval'],
  weight?: Measurement['weight'],
): Measurement => ({
  row: { ...{ topology: 't', step, task, name: 'right', slice: '', version: '', eventTimeMs: 1, value }, ...more },
  interval,
  weight,
});

describe('metrics of a run', () => {
  it('are means over tasks, and their intervals those of means of independent figures', () => {
    const [figures, ...none] = metricsOf(scored)([
      measured('model', 0, 0.8, { version: 'a' }, [0.7, 0.88]),
      measured('model', 1, 0.6, { version: 'b', eventTimeMs: 5 }, [0.56, 0.66]),
    ]);
    expect(none).toEqual([]);
    expect(figures).toMatchObject({ weight: 2, version: 'by task', eventTimeMs: 5 });
    expect(figures?.value).toBeCloseTo(0.7, 12);
    expect(figures?.interval?.[0]).toBeCloseTo(0.7 - Math.hypot(0.1, 0.04) / 2, 12);
    expect(figures?.interval?.[1]).toBeCloseTo(0.7 + Math.hypot(0.08, 0.06) / 2, 12);
    const [unsure] = metricsOf(scored)([measured('model', 0, 1, {}, [0.5, 1]), measured('model', 1, 0)]);
    expect(unsure?.interval).toBeNull();
  });

  it('of counts are sums, and others are weighted by the labels of each task', () => {
    const figures = metricsOf(scored)([
      ...[30, 10, 60].map((labels, task) => measured('model', task, labels, { name: 'labelled' }, undefined, 'sum')),
      measured('model', 0, 0.5, {}, [0.4, 0.6], 30),
      measured('model', 1, 0.9, {}, [0.8, 1], 10),
    ]);
    expect(figures.map(({ name, value, weight, interval }) => ({ name, value, weight, interval }))).toEqual([
      { name: 'labelled', value: 100, weight: 'sum', interval: null },
      { name: 'right', value: expect.closeTo(0.6, 12), weight: 40, interval: [expect.any(Number), expect.any(Number)] },
    ]);
    expect(figures[1]?.interval?.[0]).toBeCloseTo(0.6 - Math.hypot(0.1 * 0.75, 0.1 * 0.25), 12);
  });

  it('stand by version where a step measures versions side by side, and those over all slices first', () => {
    const rows = [
      measured('versions', 0, 0.1, { slice: 'a=1', version: 'v1' }),
      measured('versions', 0, 0.2, { version: 'v1' }),
      measured('versions', 0, 0.3, { version: 'v2' }),
      measured('versions', 1, 0.5, { version: 'v2' }),
      measured('model', 0, 0.6, { version: 'old' }),
      measured('model', 0, 0.7, { version: 'new' }),
    ];
    expect(metricsOf(scored)(rows).map(({ step, slice, version, value }) => [step, slice, version, value])).toEqual([
      ['versions', '', 'v1', 0.2],
      ['versions', '', 'v2', 0.4],
      ['model', '', 'new', 0.7],
      ['versions', 'a=1', 'v1', 0.1],
    ]);
  });

  it('of processes are those of all tasks, however they are merged', () => {
    const parts = [0, 1, 2, 3].map(
      (task) =>
        metricsOf(scored)([
          measured('model', task, task / 10, {}, [task / 10 - 0.1, task / 10 + 0.05], 10 * (task + 1)),
        ])[0],
    );
    const [a, b, c, d] = parts;
    if (!a || !b || !c || !d) throw new Error('there are four');
    const whole = mergedMetric(mergedMetric(mergedMetric(a, b), c), d);
    const pairs = mergedMetric(mergedMetric(d, b), mergedMetric(a, c));
    expect(metricKey(whole)).toBe(metricKey(pairs));
    expect(pairs.value).toBeCloseTo(whole.value, 12);
    for (const limit of [0, 1] as const) expect(pairs.interval?.[limit]).toBeCloseTo(whole.interval?.[limit] ?? 0, 12);
  });
});
