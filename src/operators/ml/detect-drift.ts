import { type Operator, type Problem, stateful } from '../../core/index.js';
import type { DriftDetector, DriftEvidence } from '../../ml/drift/index.js';
import { isUsable } from '../../ml/metrics/labelled.js';
import { type NumbersByKeyCell, numbersByKeyCell, rescale } from '../../state/index.js';
import { emptyKeyText, isEmptyKey, type Key } from '../keys.js';
import { optionProblems, requireOptions } from '../options.js';

/** What is watched, and by which detector. */
export interface DetectDriftOptions<T, K extends Key> {
  /** The number that is watched: a value, an error (true, false), a loss, a score. Null, undefined and NaN are not counted. */
  readonly of: (value: T) => number | boolean | null | undefined;
  /** `adwin()`, `pageHinkley()`, `ddm()`, `eddm()`, `hddmA()`, `hddmW()`, `kswin()`. */
  readonly detector: DriftDetector;
  /** What is watched by itself; without it all records are one sequence. */
  readonly key?: (value: T) => K | null | undefined;
  /** Maximum number of keys; the least recently used key is forgotten. Needed with `key`. */
  readonly keysMax?: number;
}

/** A change that was found, with what the detector saw. */
export interface DriftEvent<K extends Key = never> extends DriftEvidence {
  /** The key whose numbers changed; null without keys. */
  readonly key: [K] extends [never] ? null : K;
  readonly detector: string;
  /** Numbers of the key since its first one or its last drift, this one too. */
  readonly numbers: number;
  /** Event time of the record. */
  readonly atMs: number;
}

/**
 * The columns of a ClickHouse table of drift events; with keys that are numbers, `key` is a column of numbers.
 *
 * @example clickhouse.tableSink({ table: 'drifts', columns: driftColumns, orderBy: ['atMs'] });
 */
export const driftColumns = Object.freeze({
  key: 'Nullable(String)',
  detector: 'LowCardinality(String)',
  level: 'LowCardinality(String)',
  statistic: 'Float64',
  threshold: 'Float64',
  before: 'Nullable(Float64)',
  after: 'Nullable(Float64)',
  numbers: 'UInt64',
  atMs: 'Int64',
}) satisfies Readonly<Record<keyof DriftEvent, string>>;

/** Before the state of the detector: numbers since the last drift, and whether there is a warning. */
const NUMBERS = 0;
const WARNED = 1;
const HEAD = 2;

/** The one sequence where there are no keys. */
const ALL = '';

/**
 * Watches a number of each record and emits an event where it changes: a warning when it begins, a drift when it is certain. Records are not
 * passed on.
 *
 *   in   --0--1--0--0--1--1--1--1--|
 *   out  --------------------w--d--|   w a warning, d a drift
 *
 * Guarantees: an event depends on no later record; the state is in the checkpoint, so a replay finds the same. After a drift the detector
 * begins anew. A warning is told once, and again after a record without one.
 * Errors: what the detector finds by chance stands with each detector. An event is about the records in their order here: of labels that come
 * late, it is found late.
 * Counters: `watched`, `unknown` (no number), `warnings`, `drifts`, `evicted` (keys beyond `keysMax`).
 * Dead letters: `empty-key`, `out-of-range` (the detector takes numbers from 0 to 1 only, or the number is beyond 1e90).
 * Another number of tasks (`--rescale`): with `key` each sequence goes on in the task that gets its records, if it is the key of the records.
 * Memory: the state of the detector and some 40 bytes, a key.
 *
 * @example
 * scored
 *   .via('drift', detectDrift({
 *     of: (row) => row.late.probability > 0.5 !== row.wasLate,
 *     detector: adwin({ delta: 0.0001 }),
 *     key: (row) => row.origin,
 *     keysMax: 400,
 *   }))
 *   .to('drifts', clickhouse.tableSink({ table: 'drifts', columns: driftColumns, orderBy: ['atMs'] }));
 */
export function detectDrift<T, const K extends Key = never>(
  options: DetectDriftOptions<T, K>,
): Operator<T, DriftEvent<K>> {
  requireOptions('detectDrift', options);
  const { of, detector, key, keysMax = 1 } = options;
  const problems = [...optionProblems('detectDrift', options), ...problemsOf(options), ...detector.problems];
  // The numbers of another detector have another meaning.
  const cell = `sequences-${detector.kind}`;
  const declare = key === undefined ? rescale.whileEmpty : rescale.byKey;
  const spec = declare(
    numbersByKeyCell<Key>({
      width: HEAD + detector.size,
      entriesMax: problems.length === 0 ? keysMax : 1,
    }),
  );
  const isShare = detector.values === 'shares';
  return stateful<T, DriftEvent<K>, Readonly<Record<string, typeof spec>>>({
    kind: 'detectDrift',
    settings: { detector: detector.kind, ...detector.settings, ...(key && { keysMax }) },
    problems,
    cells: { [cell]: spec },
    open(opened, context) {
      const sequences = opened[cell] as NumbersByKeyCell<Key>;
      const watched = context.counter('watched');
      const unknown = context.counter('unknown');
      const warnings = context.counter('warnings');
      const drifts = context.counter('drifts');
      const evicted = context.counter('evicted');
      return {
        onRecord(_input, value: T, emit, { eventTimeMs }) {
          const id = key === undefined ? ALL : key(value);
          if (key !== undefined && isEmptyKey(id)) return context.deadLetter('empty-key', emptyKeyText(id));
          const given = of(value);
          if (given === null || given === undefined || Number.isNaN(given)) {
            unknown.add();
            return;
          }
          const x = Number(given);
          if (isShare ? !(x >= 0 && x <= 1) : !isUsable(x))
            return context.deadLetter('out-of-range', `${detector.kind} cannot take ${x}`);
          watched.add();
          const before = sequences.evicted;
          const at = sequences.use(id as Key);
          if (sequences.evicted > before) evicted.add(sequences.evicted - before);
          const { values } = sequences;
          const numbers = (values[at + NUMBERS] as number) + 1;
          const seen = detector.add(values, at + HEAD, x);
          const hasWarned = values[at + WARNED] === 1;
          values[at + NUMBERS] = seen?.level === 'drift' ? 0 : numbers;
          values[at + WARNED] = seen?.level === 'warning' ? 1 : 0;
          if (seen === undefined || (seen.level === 'warning' && hasWarned)) return;
          (seen.level === 'drift' ? drifts : warnings).add();
          const shown = key === undefined ? null : id;
          emit({ key: shown, detector: detector.kind, ...seen, numbers, atMs: eventTimeMs } as never);
        },
      };
    },
  });
}

function problemsOf<T, K extends Key>({ key, keysMax }: DetectDriftOptions<T, K>): Problem[] {
  if (key === undefined)
    return keysMax === undefined
      ? []
      : [{ message: 'keysMax without a key', hint: 'give a `key` too, or leave it out' }];
  if (keysMax !== undefined && Number.isInteger(keysMax) && keysMax >= 1) return [];
  return [{ message: `keysMax is ${keysMax}`, hint: 'give it the number of keys, and some more' }];
}
