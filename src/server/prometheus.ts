import { Counter, Gauge, Registry } from 'prom-client';
import type { RunSnapshot } from '../runtime/index.js';
import { lagSecondsOf } from './input-figures.js';
import { bucketsOf } from './latency-figures.js';
import { uncommittedSeconds } from './live.js';

/**
 * The snapshot of a run as Prometheus metrics, taken anew at every scrape: nothing is counted twice, and a record costs
 * no more for it.
 *
 * @example
 * const registry = prometheus('flight-delays', () => running.snapshot());
 * await registry.metrics();
 */
export function prometheus(topology: string, snapshot: () => RunSnapshot): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ topology });
  const registers = [registry];

  // One snapshot serves the whole scrape: collectors run one after another in the same turn.
  let current: RunSnapshot | undefined;
  const take = (): RunSnapshot => {
    if (current === undefined) {
      current = snapshot();
      setImmediate(() => {
        current = undefined;
      });
    }
    return current;
  };
  const metricOf =
    (Metric: typeof Counter | typeof Gauge) =>
    (name: string, help: string, labelNames: string[], values: (from: RunSnapshot) => Values) =>
      new Metric({
        name: `millrace_${name}`,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [labels, value] of values(take())) this.inc(labels, value);
        },
      });
  const counter = metricOf(Counter);
  const gauge = metricOf(Gauge);

  // Tasks of the first sub-topology have the topology's name, and need no label for it.
  const labelsOf = ({
    subtopology,
    partition,
  }: {
    readonly subtopology: string;
    readonly partition: number;
  }): Labels => (subtopology === topology ? { partition } : { partition, subtopology });
  // By partition: a task takes its counts along, and a sum over tasks would jump when one moves.
  counter(
    'step_events_total',
    'What steps counted: read, in, out, written, duplicates, learned, ...',
    ['step', 'event', 'partition', 'subtopology'],
    ({ tasks }) =>
      tasks.flatMap((task) =>
        task.counters
          .filter(({ name }) => !name.startsWith(DEAD))
          .map(({ step, name, value }) => [{ step, event: name, ...labelsOf(task) }, value] as const),
      ),
  );
  counter(
    'dead_letters_total',
    'Records that could not be processed, by step and reason',
    ['step', 'reason', 'partition', 'subtopology'],
    ({ tasks }) =>
      tasks.flatMap((task) =>
        task.counters
          .filter(({ name }) => name.startsWith(DEAD))
          .map(
            ({ step, name, value }) => [{ step, reason: name.slice(DEAD.length), ...labelsOf(task) }, value] as const,
          ),
      ),
  );
  counter(
    'task_blocked_seconds_total',
    'Time in which a task could take no record before a step, a sink or its checkpoint was done',
    ['partition', 'subtopology'],
    ({ tasks }) => tasks.map((task) => [labelsOf(task), task.time.blockedMs / 1_000]),
  );
  counter(
    'task_idle_seconds_total',
    'Time in which a task had no record, or not of every input',
    ['partition', 'subtopology'],
    ({ tasks }) => tasks.map((task) => [labelsOf(task), task.time.idleMs / 1_000]),
  );
  counter(
    'step_waited_seconds_total',
    'The part of the blocked time in which the step, sink or $checkpoint had an operation in flight',
    ['step', 'partition', 'subtopology'],
    ({ tasks }) =>
      tasks.flatMap((task) =>
        [...task.time.waitedMs].map(([step, ms]) => [{ ...labelsOf(task), step }, ms / 1_000] as const),
      ),
  );
  counter('step_busy_seconds_total', 'Time spent in a step since the start', ['step'], ({ busyMs }) =>
    [...busyMs].map(([step, ms]) => [{ step }, ms / 1_000]),
  );
  counter('latency_records_total', 'Records whose way to a sink was timed', [], ({ latency }) => [[{}, latency.total]]);
  counter('latency_seconds_total', 'Sum of their times', [], ({ latency }) => [[{}, latency.sumMs / 1_000]]);
  gauge('latency_quantile_seconds', 'Time from source to sink since the start', ['quantile'], ({ latency }) =>
    [0.5, 0.9, 0.99].map((quantile) => [{ quantile }, latency.quantileMs(quantile) / 1_000]),
  );
  counter(
    'step_latency_seconds_bucket',
    'Records by how long ago their source had received them when a step or sink was done with them',
    ['step', 'le'],
    ({ latencies }) =>
      [...latencies].flatMap(([step, latency]) =>
        bucketsOf(latency).map(([le, records]) => [{ step, le }, records] as const),
      ),
  );
  counter('step_latency_seconds_count', 'All of these records', ['step'], ({ latencies }) =>
    [...latencies].map(([step, { total }]) => [{ step }, total]),
  );
  counter('step_latency_seconds_sum', 'Sum of these times', ['step'], ({ latencies }) =>
    [...latencies].map(([step, { sumMs }]) => [{ step }, sumMs / 1_000]),
  );
  const modelCounter = (name: string, help: string, numberOf: (model: RunSnapshot['models'][number]) => number) =>
    counter(`inference_${name}`, help, ['model', 'provider'], ({ models }) =>
      models.map((report) => [{ model: report.model, provider: report.provider }, numberOf(report)]),
    );
  modelCounter('rows_total', 'Rows that an ONNX model has answered, or failed on', ({ rows }) => rows);
  modelCounter('failed_rows_total', 'Those of them that failed on their own', ({ failed }) => failed);
  modelCounter(
    'not_finite_rows_total',
    'Rows that were answered with what is no finite number',
    (model) => model.notFinite,
  );
  modelCounter('checks_total', 'How often golden inputs were asked', ({ checks }) => checks);
  modelCounter('wrong_checks_total', 'How often they were answered wrongly', ({ wrongChecks }) => wrongChecks);
  modelCounter('breaker_openings_total', 'How often the circuit breaker has opened', ({ openings }) => openings);
  modelCounter('batches_total', 'Batches that they were in', ({ batches }) => batches);
  counter(
    'inference_batches_by_size_total',
    'Those of them with up to so many rows, and more than half of that',
    ['model', 'provider', 'rows_max'],
    ({ models }) =>
      models.flatMap(({ model, provider, sizes }) =>
        sizes.map(({ rowsMax, batches }) => [{ model, provider, rows_max: rowsMax }, batches] as const),
      ),
  );
  modelCounter(
    'batch_wait_seconds_total',
    'How long the first rows of these batches had waited when they left for a worker, in sum',
    ({ sizes }) => sizes.reduce((sum, { waitMs }) => sum + waitMs, 0) / 1_000,
  );
  gauge(
    'inference_answer_quantile_seconds',
    'How long rows had waited when the model answered, since the start',
    ['model', 'provider', 'quantile'],
    ({ models }) =>
      models.flatMap(({ model, provider, answerMs: { p50, p99 } }) => [
        [{ model, provider, quantile: 0.5 }, p50 / 1_000] as const,
        [{ model, provider, quantile: 0.99 }, p99 / 1_000] as const,
      ]),
  );
  modelCounter('lost_batches_total', 'Batches that were lost with their worker, and sent again', ({ lost }) => lost);
  counter(
    'inference_shed_rows_total',
    'Rows that were left to a fallback since the model would have been late',
    ['model', 'provider', 'tier'],
    ({ models }) =>
      models.flatMap(({ model, provider, shed }) =>
        Object.entries(shed).map(([tier, rows]) => [{ model, provider, tier }, rows] as const),
      ),
  );
  modelCounter('late_rows_total', 'Rows that the model answered after their deadline', ({ late }) => late);
  gauge('inference_breaker_open', '1 while the circuit breaker is open', ['model', 'provider'], ({ models }) =>
    models.map(({ model, provider, isOpen }) => [{ model, provider }, Number(isOpen)]),
  );
  gauge('inference_waiting_rows', 'Rows that wait for a batch', ['model', 'provider'], ({ models }) =>
    models.map(({ model, provider, waiting }) => [{ model, provider }, waiting]),
  );
  modelCounter('worker_seconds_total', 'Time that workers ran the model', ({ workerMs }) => workerMs / 1_000);
  modelCounter('loads_total', 'How often the model was loaded into memory', ({ loads }) => loads);
  modelCounter('load_seconds_total', 'How long that took', ({ loadMs }) => loadMs / 1_000);
  modelCounter('evictions_total', 'How often it made room for others', ({ evictions }) => evictions);
  for (const [name, of] of [
    ['hits', 'Rows whose answers were remembered'],
    ['shared', 'Those of them that another process remembered'],
    ['misses', 'Rows whose answers were not'],
  ] as const)
    counter(`inference_cache_${name}_total`, of, ['model', 'provider'], ({ models }) =>
      models.flatMap(({ model, provider, cache }) => (cache ? [[{ model, provider }, cache[name]] as const] : [])),
    );
  gauge('inference_resident_bytes', 'What it takes in all workers now', ['model', 'provider'], ({ models }) =>
    models.map(({ model, provider, residentBytes }) => [{ model, provider }, residentBytes]),
  );
  counter(
    'throttled_seconds_total',
    'How long brokers made this process wait for its quotas',
    [],
    ({ throttledMs }) => [[{}, throttledMs / 1_000]],
  );
  counter(
    'trace_spans_total',
    'Spans for a collector, by what became of them',
    ['result'],
    ({ spans: { sent, dropped } }) => [
      [{ result: 'sent' }, sent],
      [{ result: 'dropped' }, dropped],
    ],
  );
  gauge('paused', '1 while the run is paused', [], ({ isPaused }) => [[{}, isPaused ? 1 : 0]]);
  counter(
    'epoch_phase_seconds_total',
    'Time that epochs took: to drain, to prepare sinks, to store the checkpoint, to commit sinks',
    ['phase', 'partition', 'subtopology'],
    ({ tasks }) =>
      tasks.flatMap((task) =>
        Object.entries(task.epochs.phaseMs).map(([phase, ms]) => [{ phase, ...labelsOf(task) }, ms / 1_000] as const),
      ),
  );
  counter('epoch_bytes_total', 'State that epochs have stored', ['partition', 'subtopology'], ({ tasks }) =>
    tasks.map((task) => [labelsOf(task), task.epochs.bytes]),
  );
  gauge(
    'state_bytes',
    'State as the last checkpoint has it, encoded',
    ['step', 'partition', 'subtopology'],
    ({ tasks }) =>
      tasks.flatMap((task) =>
        [...task.stateBytes].map(([step, bytes]) => [{ step, ...labelsOf(task) }, bytes] as const),
      ),
  );
  gauge('epoch', 'Number of the last checkpoint', ['partition', 'subtopology'], ({ tasks }) =>
    tasks.map((task) => [labelsOf(task), task.epoch]),
  );
  gauge(
    'uncommitted_seconds',
    'For how long a task has had records that no checkpoint has; 0 without such records',
    ['partition', 'subtopology'],
    ({ tasks }) => tasks.map((task) => [labelsOf(task), uncommittedSeconds(task, Date.now())]),
  );
  gauge('records_in_flight', 'Records between source and sink', ['partition', 'subtopology'], ({ tasks }) =>
    tasks.map((task) => [labelsOf(task), task.recordsInFlight]),
  );
  gauge('watermark_seconds', 'Event time reached, in seconds since 1970', ['partition', 'subtopology'], ({ tasks }) =>
    tasks.map((task) => [labelsOf(task), task.watermarkMs / 1_000]),
  );
  gauge(
    'standby_lag_records',
    'Records of a task that this process follows and has not read yet',
    ['partition', 'subtopology'],
    (from) => from.standbys.map((standby) => [labelsOf(standby), standby.recordsBehind]),
  );
  gauge(
    'standby_ready',
    'Whether a task that this process follows could be taken over at once',
    ['partition', 'subtopology'],
    (from) => from.standbys.map((standby) => [labelsOf(standby), standby.ready ? 1 : 0]),
  );
  gauge(
    'standby_bytes',
    'State of a task that this process follows, in its memory',
    ['partition', 'subtopology'],
    (from) => from.standbys.map((standby) => [labelsOf(standby), standby.bytes]),
  );
  gauge('sink_down_seconds', 'How long a sink has refused writes; absent while it accepts them', ['sink'], (from) =>
    from.outages.map(({ sink, sinceMs }) => [{ sink }, (Date.now() - sinceMs) / 1_000]),
  );
  counter(
    'task_restarts_total',
    'Tasks restored from their checkpoints since the start',
    ['partition', 'subtopology'],
    (from) => from.health.map((task) => [labelsOf(task), task.restarts]),
  );
  counter('task_stalls_total', 'Those of them that had hung', ['partition', 'subtopology'], (from) =>
    from.health.map((task) => [labelsOf(task), task.stalls]),
  );
  gauge(
    'task_waits_for_input',
    '1 while a task holds records back for an input that brings none',
    ['partition', 'subtopology', 'input'],
    (from) =>
      from.health.flatMap((task) =>
        task.waitsFor === undefined ? [] : [[{ ...labelsOf(task), input: task.waitsFor }, 1] as const],
      ),
  );
  gauge('position', 'Offset of the next record to read', ['source', 'partition'], ({ tasks }) =>
    tasks.flatMap(({ partition, positions }) =>
      Object.entries(positions).map(([source, { offset }]) => [{ source, partition }, offset] as const),
    ),
  );
  gauge(
    'lag_records',
    'Entries of the log behind the position: records, those of open transactions too, and transaction markers',
    ['source', 'partition'],
    ({ tasks }) =>
      tasks.flatMap(({ partition, lag }) =>
        Object.entries(lag).map(([source, entries]) => [{ source, partition }, entries] as const),
      ),
  );
  gauge(
    'lag_seconds',
    'From the event time of the next record to read to now; 0 at the end of the log',
    ['source', 'partition'],
    ({ tasks }) =>
      tasks.flatMap(({ partition, positions, lag, unreadMs }) =>
        Object.keys(positions).flatMap((source) => {
          const seconds = lagSecondsOf(lag[source] ?? null, unreadMs[source], Date.now());
          return seconds === null ? [] : [[{ source, partition }, seconds] as const];
        }),
      ),
  );
  gauge('memory_bytes', 'What the process has in memory (its resident set)', [], () => [
    [{}, process.memoryUsage.rss()],
  ]);
  gauge('measure', 'The newest measurement of a step', ['step', 'task', 'name'], ({ measures }) =>
    measures.map(({ step, task, name, value }) => [{ step, task, name }, value]),
  );
  return registry;
}

type Labels = Record<string, string | number>;
type Values = readonly (readonly [labels: Labels, value: number])[];

const DEAD = 'dead:';
