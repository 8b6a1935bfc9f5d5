import {
  type Aggregates,
  accumulatorOf,
  aggregateProblems,
  retractionProblems,
} from '../../../aggregates/accumulator.js';
import type { Aggregate, ResultOf } from '../../../aggregates/index.js';
import {
  type Change,
  type Duration,
  formatDuration,
  givenDuration,
  type Problem,
  type Settings,
} from '../../../core/index.js';
import { type EmitStrategy, emitStrategyText } from '../emit-strategy.js';
import { isSliced, specProblems, textOf, type WindowSpec } from '../spec.js';

/** What `window` emits for a key and a window, when it emits rows. */
export type WindowRow<K, A> =
  Readonly<
    { [P in 'key']: K } & { [P in 'startMs' | 'endMs']: number } & { [N in keyof A]: ResultOf<A[N]> }
  > extends infer Row
    ? { readonly [P in keyof Row]: Row[P] }
    : never;

/** What is emitted: rows, or changes of them. */
export type Emitted<Form, Row> = Form extends 'change' ? Change<Row> : Row;

/** How `window` cuts a stream, what it computes of each key, and when it emits. */
export interface WindowOptions<In, K, A, Form extends 'row' | 'change'> {
  /** The key of the windows; null, undefined, NaN and '' send the record to the dead letters. */
  readonly key: (value: In) => K | null | undefined;
  /** The window: `tumbling`, `hopping`, `sliding`, `session` or `counting`. */
  readonly window: WindowSpec;
  /** The aggregates of each window, by name. */
  readonly aggregate: A;
  /** `onClose()` by default. */
  readonly emit?: EmitStrategy<Form>;
  /** How long after its end (by the watermark) a window still accepts late records (default: 0). */
  readonly allowedLateness?: Duration;
  /** What to do with records that are too late for every window: dead letters (default), or only count them. */
  readonly late?: 'dead-letter' | 'count';
  /** Maximum number of keys: per slice of time, or in total for windows that follow the records. */
  readonly keysMax: number;
}

/** What the compiler knows no more: options as data. */
export interface WindowPlan {
  readonly window: WindowSpec;
  readonly aggregate: Aggregates<never>;
  readonly emit: EmitStrategy<'row' | 'change'>;
  readonly allowedLateness: number;
  readonly late: 'dead-letter' | 'count';
  readonly keysMax: number;
  readonly ofChanges: boolean;
}

type AnyOptions = Omit<
  WindowOptions<never, unknown, Readonly<Record<string, Aggregate<never, unknown>>>, 'row' | 'change'>,
  'key'
>;

export const planOf = (options: AnyOptions, ofChanges: boolean): WindowPlan => ({
  window: options.window,
  aggregate: options.aggregate,
  emit: options.emit ?? { kind: 'on-close', every: 0 },
  allowedLateness: options.allowedLateness ?? 0,
  late: options.late ?? 'dead-letter',
  keysMax: options.keysMax,
  ofChanges,
});

export function settingsOf({ window, aggregate, emit, allowedLateness, late, keysMax }: WindowPlan): Settings {
  const { layout } = accumulatorOf(aggregate);
  return {
    window: textOf(window),
    aggregate: layout.map(([name, text]) => (name === text ? name : `${name}: ${text}`)).join(', '),
    emit: emitStrategyText(emit),
    ...(allowedLateness > 0 && { allowedLateness: formatDuration(allowedLateness as Duration) }),
    late,
    keysMax,
  };
}

const RESERVED = ['key', 'startMs', 'endMs'];

export function problemsOf(plan: WindowPlan): Problem[] {
  const { window, aggregate, emit, allowedLateness, keysMax, ofChanges } = plan;
  const names = Object.keys(aggregate);
  const problems = [...specProblems(window), ...aggregateProblems(aggregate)];
  const add = (message: string, hint: string) => problems.push({ message, hint });
  if (names.includes('')) add('an aggregate has no name', 'give it one: { records: count() }');
  if (names.length === 0) add('no aggregate', 'give at least one aggregate: { records: count() }');
  for (const name of names.filter(
    (each) => RESERVED.includes(each) || /^(0|[1-9]\d*)$/.test(each) || each === '__proto__',
  ))
    add(
      `an aggregate cannot be called ${name}`,
      'key, startMs and endMs are those of every result, and numbers lose their order',
    );
  if (!(keysMax >= 1)) add(`keysMax is ${keysMax}`, 'give it the number of keys that a window has, and some more');
  if (!(allowedLateness >= 0))
    add(`allowedLateness is ${givenDuration(allowedLateness)}`, 'give it a duration, such as minutes(10)');
  if (!['on-close', 'early', 'on-update'].includes(emit.kind))
    add('emit is no strategy', 'call onClose(), onInterval({ every }) or onUpdate()');
  if (emit.kind === 'early' && !(Number.isInteger(emit.every) && emit.every > 0))
    add(`early every ${emit.every} ms`, 'give whole milliseconds above 0');
  if ((window.kind === 'sliding' || window.kind === 'counting') && emit.kind !== 'on-close')
    add(`${window.kind} windows emit on close only`, 'leave `emit` out');
  if (window.kind === 'counting' && allowedLateness > 0)
    add('windows that count records know no lateness', 'leave `allowedLateness` out');
  if (!ofChanges) return problems;
  if (!isSliced(window))
    add(`${window.kind} windows cannot take corrections`, 'use tumbling or hopping windows over changes');
  return [...problems, ...retractionProblems(aggregate)];
}
