import type { Aggregate, NumberLogic, Numbers, ValueLogic } from '../../aggregates/aggregate.js';

/** The aggregates of `metricsOf`: those given, over other rows. */
export type MetricsOf<In, M> = {
  readonly [K in keyof M]: M[K] extends Aggregate<never, infer Result> ? Aggregate<In, Result> : never;
};

/**
 * Metrics over records that name their prediction and label otherwise.
 *
 * @example
 * const scores = metricsOf(
 *   (flight: { late: { probability: number }; delayMinutes: number }) => ({
 *     prediction: flight.late.probability,
 *     label: flight.delayMinutes >= 15,
 *   }),
 *   { auc: rocAuc(), loss: logLoss() },
 * );
 * window({ key: (flight) => flight.origin, window: tumbling(hours(1)), aggregate: { flights: count(), ...scores }, keysMax: 400 });
 *
 * The function must depend on its argument only; it is called once a metric. Everything else is as of the metrics that are given.
 */
export function metricsOf<In, Row, M extends Readonly<Record<string, Aggregate<Row, unknown>>>>(
  of: (value: In) => Row,
  metrics: M,
): MetricsOf<In, M> {
  return Object.fromEntries(Object.entries(metrics).map(([name, metric]) => [name, over(of, metric)])) as never;
}

function over<In, Row, Result>(of: (value: In) => Row, metric: Aggregate<Row, Result>): Aggregate<In, Result> {
  const { logic } = metric;
  return Object.freeze({
    ...metric,
    logic: logic.state === 'numbers' ? numbersOver(of, logic) : valueOver(of, logic),
  });
}

function numbersOver<In, Row, Result>(
  of: (value: In) => Row,
  { add, addEach, retract, ...rest }: NumberLogic<Row, Result>,
): NumberLogic<In, Result> {
  return {
    ...rest,
    add: (into, at, value, timeMs) => add(into, at, of(value), timeMs),
    ...(addEach && {
      addEach: (into: readonly Numbers[], count: number, at: number, value: In, timeMs: number) =>
        addEach(into, count, at, of(value), timeMs),
    }),
    ...(retract && { retract: (into, at, value, timeMs) => retract(into, at, of(value), timeMs) }),
  };
}

function valueOver<In, Row, Acc, Result>(
  of: (value: In) => Row,
  { add, addEach, retract, ...rest }: ValueLogic<Row, Acc, Result>,
): ValueLogic<In, Acc, Result> {
  return {
    ...rest,
    add: (acc, value, timeMs) => add(acc, of(value), timeMs),
    ...(addEach && {
      addEach: (accs: readonly Acc[], count: number, value: In, timeMs: number) =>
        addEach(accs, count, of(value), timeMs),
    }),
    ...(retract && { retract: (acc, value, timeMs) => retract(acc, of(value), timeMs) }),
  };
}
