import { type Aggregates, accumulatorOf } from '../../aggregates/accumulator.js';
import { count } from '../../aggregates/index.js';
import {
  AFTER_ALL_MS,
  BEFORE_ALL_MS,
  type CellSpecs,
  type Duration,
  type OpenCells,
  type Operator,
  type StepContext,
  stateful,
} from '../../core/index.js';
import { type ValueCell, valueCell } from '../../state/index.js';
import { isEmptyKey } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';
import { machineOf } from '../window/engine/open.js';
import { planOf, problemsOf, settingsOf } from '../window/engine/options.js';
import { Refusals } from '../window/engine/refusals.js';
import { counting, type SlicedSpec } from '../window/spec.js';
import {
  holds,
  ruleProblems,
  ruleText,
  type WindowExpectations,
  type WindowRule,
  type WindowSeverity,
} from './window-expectations.js';

/** What became of one expectation in one window: a row for a table. */
export interface WindowVerdict {
  /** '' where the whole stream is one. */
  readonly key: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly expectation: string;
  readonly severity: WindowSeverity;
  readonly success: boolean;
  /** `null` where there was nothing to judge. */
  readonly observed: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** Records in the window. */
  readonly records: number;
}

/** The columns of a ClickHouse table of verdicts. */
export const verdictColumns = Object.freeze({
  key: 'String',
  startMs: 'Int64',
  endMs: 'Int64',
  expectation: 'LowCardinality(String)',
  severity: 'LowCardinality(String)',
  success: 'Bool',
  observed: 'Nullable(Float64)',
  min: 'Nullable(Float64)',
  max: 'Nullable(Float64)',
  records: 'UInt64',
}) satisfies Readonly<Record<keyof WindowVerdict, string>>;

/** Which windows are judged, by what, and what becomes of late records. */
export interface ValidateWindowsOptions<T> {
  /** The windows: `tumbling` or `hopping`. */
  readonly window: SlicedSpec;
  /** The expectations, made by `windowExpectations`. */
  readonly expect: WindowExpectations<T>;
  /** Checks each key separately (default: the whole stream of the task). */
  readonly key?: (value: T) => string | null | undefined;
  /** Maximum number of keys per slice; 1 without `key`. */
  readonly keysMax?: number;
  /** How long after its end (by the watermark) a window still accepts late records (default: 0). */
  readonly allowedLateness?: Duration;
  /** What to do with records that are too late for every window: dead letters (default), or only count them. */
  readonly late?: 'dead-letter' | 'count';
}

/** Windows without any record that are judged in a row; what is beyond a gap of so many is passed over. */
const EMPTY_MAX = 1_000;

/**
 * Checks each window of a stream against expectations, and emits one verdict per window and expectation, as a row for a table.
 *
 * @example
 * trips.via('quality', validateWindows({ window: tumbling(minutes(5)), expect: tripsAsExpected }))
 *   .to('verdicts', clickhouse.tableSink({ table: 'quality', columns: verdictColumns, orderBy: ['expectation', 'startMs'] }));
 *
 * Without `key`, empty windows are checked too (volume 0), from the first record up to the watermark, at most 1,000 in a row. The
 * severity of a failed expectation: `warn` only emits the row, `divert` makes `quarantine` divert records, `stop` fails the task.
 *
 * Measures, of each key as a slice: `verdict:EXPECTATION` (1 if it holds, otherwise 0), and `observed:EXPECTATION`.
 *
 * Counters: `judged` (windows), `broken` (failed expectations), `broken:EXPECTATION`, `passed_over` (empty windows beyond 1,000 in a row), and those of `window`. Dead letters, bounds
 * and memory: as `window` with the aggregates of the expectations.
 */
export function validateWindows<T>(options: ValidateWindowsOptions<T>): Operator<T, WindowVerdict> {
  requireOptions('validateWindows', options);
  const { window, expect, key, keysMax = key ? 0 : 1 } = options;
  const { rules } = expect;
  const aggregate = aggregatesOf(rules);
  const plan = planOf({ ...options, aggregate, keysMax }, false);
  const problems = [...optionProblems('validateWindows', options), ...problemsOf(plan), ...ruleProblems(rules)];
  const machine = machineOf<T>(problems.length === 0 ? plan : { ...plan, window: counting(1) });
  const empty = emptyResults(aggregate);
  const { aggregate: _aggregate, emit: _emit, ...settings } = settingsOf(plan);
  return stateful({
    kind: 'validateWindows',
    settings: { ...settings, expect: rules.map(ruleText).join(', ') },
    problems,
    rules: rules.map((rule) => ({ name: rule.name, severity: rule.severity, text: ruleText(rule) })),
    cells: { ...machine.cells, judgedMs: valueCell({ initial: BEFORE_ALL_MS }) },
    open({ judgedMs, ...cells }, context) {
      const engine = machine.open(cells as OpenCells<CellSpecs>, context);
      const refuse = new Refusals(context, plan.late);
      const judge = judgeOf(rules, context);
      const gaps = key ? undefined : gapsOf(window, judgedMs, context);
      return {
        onRecord(_input, value: T, _emit, { eventTimeMs }) {
          const of = key ? key(value) : ALL;
          if (key && isEmptyKey(of)) refuse.emptyKey(of);
          else refuse.unlessTaken(engine.add(of as string, value, eventTimeMs, nothing));
        },
        onWatermark(watermarkMs, emit) {
          const verdict = emit as EmitVerdict;
          const judgeEmpty = (endMs: number) => judge({ ...empty, startMs: endMs - window.size, endMs }, verdict);
          engine.advance(watermarkMs, (result) => {
            const row = result as WindowResults;
            gaps?.before(row.endMs, judgeEmpty);
            judge(row, verdict);
          });
          if (watermarkMs < AFTER_ALL_MS) gaps?.upTo(watermarkMs - plan.allowedLateness, judgeEmpty);
        },
      };
    },
  }) as Operator<T, WindowVerdict>;
}

type WindowResults = Record<string, unknown> & Pick<WindowVerdict, 'key' | 'startMs' | 'endMs' | 'records'>;
type EmitVerdict = (verdict: WindowVerdict, eventTimeMs: number) => void;

const ALL = '';
const nothing = () => {};

/** What each rule must know, under the rule's name, and the number of records. */
const aggregatesOf = (rules: readonly WindowRule[]): Aggregates<never> =>
  Object.fromEntries([
    ['records', count()],
    ...rules.flatMap(({ name: rule, aggregates }) =>
      Object.entries(aggregates).map(([name, aggregate]) => [`${rule}/${name}`, aggregate] as const),
    ),
  ]);

/** What the aggregates say of a window without records. */
function emptyResults(aggregates: Aggregates<never>): Pick<WindowResults, 'key' | 'records'> {
  const accumulator = accumulatorOf(aggregates);
  const numbers: number[] = [];
  const values: unknown[] = [];
  accumulator.init(numbers, 0, values, 0);
  const results: Record<string, unknown> = { key: ALL };
  accumulator.results(results, numbers, 0, values, 0);
  return results as Pick<WindowResults, 'key' | 'records'>;
}

function judgeOf(rules: readonly WindowRule[], context: StepContext) {
  const judged = context.counter('judged');
  const broken = context.counter('broken');
  const names = rules.map(({ aggregates }) => Object.keys(aggregates));
  return (results: WindowResults, emit: EmitVerdict): void => {
    const { key, startMs, endMs, records } = results;
    const fatal: string[] = [];
    judged.add();
    rules.forEach((rule, i) => {
      const known = names[i]?.map((name) => [name, results[`${rule.name}/${name}`]] as const) ?? [];
      const found = { ...Object.fromEntries(known), records };
      const observed = rule.observe(found, endMs);
      const success = holds(rule, observed, rule.margin?.(found));
      const { name: expectation, severity, min, max } = rule;
      emit({ key, startMs, endMs, expectation, severity, success, observed, min, max, records }, endMs - 1);
      const of = { slice: key };
      context.measure(`verdict:${expectation}`, Number(success), endMs, of);
      if (observed !== null) context.measure(`observed:${expectation}`, observed, endMs, of);
      if (success) return;
      broken.add();
      context.counter(`broken:${expectation}`).add();
      if (severity === 'stop') fatal.push(`${ruleText(rule)}: it was ${observed}`);
    });
    if (fatal.length > 0)
      context.fail(
        `the window from ${startMs} to ${endMs}${key === ALL ? '' : ` of ${key}`} is not as expected: ${fatal.join(', ')}`,
        'correct the input, or give the expectation the severity warn or divert',
      );
  };
}

/** Finds the windows in which nothing came: between those that were judged, and up to where the watermark is. */
function gapsOf({ every }: SlicedSpec, judgedMs: ValueCell<number>, context: StepContext) {
  const passedOver = context.counter('passed_over');
  const upTo = (endMs: number, judgeEmpty: (endMs: number) => void): void => {
    const last = judgedMs.get();
    if (last === BEFORE_ALL_MS || endMs < last + every) return;
    const missing = Math.floor((endMs - last) / every);
    const passed = Math.max(0, missing - EMPTY_MAX);
    if (passed > 0) passedOver.add(passed);
    for (let n = passed + 1; n <= missing; n++) judgeEmpty(last + n * every);
    judgedMs.set(last + missing * every);
  };
  return {
    upTo,
    before(endMs: number, judgeEmpty: (endMs: number) => void): void {
      upTo(endMs - every, judgeEmpty);
      judgedMs.set(endMs);
    },
  };
}
