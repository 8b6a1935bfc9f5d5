import { MillraceError } from '../core/errors.js';
import type { ClassLabel, Learner } from '../core/learner.js';
import { FEATURE_MAX } from '../ml/learners/rows.js';
import { nextTurn } from '../util/next-turn.js';
import { type ColumnKind, type Columns, inferColumns, openEncoder } from './encoder.js';
import { type ProgressiveResult, progressive, type RowFacts } from './progressive.js';
import { openTable, type Row, type Rows } from './table.js';

export interface EvaluateOptions {
  /** CSV, NDJSON or Parquet, in the order in which rows are predicted. */
  readonly file: string;
  /** The column to predict. */
  readonly label: string;
  readonly learner: Learner<never, unknown>;
  /** Of a learner of a probability: the value that counts as true. By default true, 1 and the texts of both. */
  readonly positive?: string | undefined;
  /** What columns are, where that is not to be inferred. */
  readonly columns?: Readonly<Record<string, ColumnKind | 'skip'>> | undefined;
  /** Categories are hashed to 2^hashBits places; 18 by default. */
  readonly hashBits?: number | undefined;
  /** Names of the metrics to compute; by default those that `learn` measures. */
  readonly metrics?: readonly string[] | undefined;
  /** Columns by whose values the model is measured as well; of each the first 50 values, the others are `other`. */
  readonly slices?: readonly string[] | undefined;
  /** The column that says how much a row counts. */
  readonly weight?: string | undefined;
  /** Columns with the times of the prediction and of the label: milliseconds since 1970, or texts as of ISO 8601. A label is learnt at its time. */
  readonly times?: { readonly predicted: string; readonly labelled: string } | undefined;
  /** Called about once a second. */
  onProgress?(rows: number): void;
}

export interface Evaluation extends ProgressiveResult {
  /** The kind of the learner. */
  readonly learner: string;
  readonly columns: Columns;
  /** Rows that could not be read, by the first reason of them. */
  readonly unreadable: { readonly rows: number; readonly first?: string };
  /** Columns with numbers beyond what a learner takes by default, such as times in milliseconds: its rows are refused. */
  readonly large: readonly string[];
  /** Numbers that were missing; they count as 0. */
  readonly missing: number;
  /** Of reading, encoding, predicting and learning together. */
  readonly seconds: number;
}

const PROGRESS_MS = 1_000;
/** Rows that are learnt at once. */
const TURN_ROWS = 1_000;

/**
 * Evaluates a learner on a file by progressive validation, beside baselines.
 *
 * Memory: that of the learner, and a batch of rows.
 *
 * @throws MillraceError `config` for a column that does not exist, or a learner without labels or a metric that it does not have; `source` for a file that cannot be read
 * @example
 * const { model } = await evaluate({ file: 'flights.csv.gz', label: 'late', learner: logisticRegression({ ... }) });
 */
export async function evaluate(options: EvaluateOptions): Promise<Evaluation> {
  const { file, label, learner, hashBits = 18, onProgress } = options;
  const table = await openTable(file);
  const { slices = [], weight, times } = options;
  // What says when and how much is no feature, unless it is declared as one.
  const facts = [weight, times?.predicted, times?.labelled].filter((name) => name !== undefined);
  const skipped = Object.fromEntries(facts.map((name) => [name, 'skip' as const]));
  if (options.columns && Object.hasOwn(options.columns, label))
    throw new MillraceError('config', `'${label}' is the label, which is never a feature`, {
      where: '--columns',
      hint: 'leave it out of the columns, or name another label',
    });
  const columns = inferColumns(table.sample, label, { ...skipped, ...options.columns });
  for (const name of slices) inferColumns(table.sample, name);
  if (Object.keys(columns).length === 0) {
    throw new MillraceError('config', 'no column is left to learn from', {
      where: file,
      hint: 'columns of numbers, booleans and texts are features; --columns NAME:number or NAME:category declares others',
    });
  }
  const encoder = openEncoder(columns, { hashBits, missing: learner.missing === 'native' ? Number.NaN : 0 });
  const validation = progressive(learner, encoder.shape, options.metrics);
  const labelOf = labelReader(learner, options.positive);
  let unreadable: Evaluation['unreadable'] = { rows: 0 };
  const onUnreadable = (reason: string) => {
    unreadable = { rows: unreadable.rows + 1, first: unreadable.first ?? reason };
  };
  const sliceNames = new Map(slices.map((name) => [name, new Set<string>()]));
  const refused: Record<string, number> = {};
  const refuse = (reason: string) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  };
  const startedMs = performance.now();
  let toldMs = startedMs;
  let rows = 0;
  for await (const read of table.read(onUnreadable)) {
    const encode = encoder.of(read);
    const given = read.column(label);
    const factsAt = factsReader(read, { slices, weight, times }, sliceNames, refuse);
    for (let from = 0; from < read.size; from += TURN_ROWS) {
      const to = Math.min(read.size, from + TURN_ROWS);
      for (let at = from; at < to; at++) {
        const known = factsAt(at);
        if (known !== undefined) validation.add(encode(at), labelOf(given(at)), known);
      }
      rows += to - from;
      await nextTurn(); // lets an interrupt through
      if (performance.now() < toldMs + PROGRESS_MS) continue;
      toldMs = performance.now();
      onProgress?.(rows);
    }
  }
  validation.finish();
  const seconds = (performance.now() - startedMs) / 1_000;
  return {
    learner: learner.kind,
    columns,
    ...withRefused(validation.result(), refused),
    unreadable,
    large: largeIn(table.sample, columns),
    missing: encoder.missing(),
    seconds,
  };
}

const SLICES_MAX = 50;
const NO_FACTS: RowFacts = Object.freeze({});

/** Reads what is known of rows besides features and label; undefined for a row whose weight or times cannot be used. */
function factsReader(
  rows: Rows,
  { slices = [], weight, times }: Pick<EvaluateOptions, 'slices' | 'weight' | 'times'>,
  known: ReadonlyMap<string, Set<string>>,
  refuse: (reason: string) => void,
): (at: number) => RowFacts | undefined {
  if (slices.length === 0 && weight === undefined && times === undefined) return () => NO_FACTS;
  const weightAt = weight === undefined ? undefined : rows.column(weight);
  const timesAt = times && [rows.column(times.predicted), rows.column(times.labelled)];
  const slicesAt = slices.map((name) => ({ name, values: known.get(name) as Set<string>, read: rows.column(name) }));
  const unusable = (reason: string): undefined => void refuse(reason);
  return (at) => {
    const weighs = weightAt ? Number(weightAt(at) ?? Number.NaN) : 1;
    if (!(weighs > 0 && weighs <= 1e90)) return unusable('unusable-weight');
    const [predictedMs, labelledMs] = timesAt?.map((read) => timeOf(read(at))) ?? [0, 0];
    if (Number.isNaN(predictedMs) || Number.isNaN(labelledMs)) return unusable('unusable-time');
    return {
      weight: weighs,
      slices: slicesAt.map(({ name, values, read }) => {
        const value = String(read(at));
        if (values.size < SLICES_MAX) values.add(value);
        return `${name}=${values.has(value) ? value : 'other'}`;
      }),
      ...(timesAt && { times: [predictedMs, labelledMs] as [number, number] }),
    };
  };
}

function timeOf(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return value.getTime();
  return typeof value === 'string' ? Date.parse(value) : Number.NaN;
}

const withRefused = (result: ProgressiveResult, refused: Readonly<Record<string, number>>): ProgressiveResult => ({
  ...result,
  refused: { ...result.refused, ...refused },
});

const largeIn = (rows: readonly Row[], columns: Columns): string[] =>
  Object.keys(columns).filter(
    (name) => columns[name] === 'number' && rows.some((row) => Math.abs(Number(row[name])) > FEATURE_MAX),
  );

/** How the learner takes a label: as a boolean, a number, or one of its classes. */
function labelReader(
  { output, classes = [] }: Pick<Learner<never, unknown>, 'output' | 'classes'>,
  positive: string | undefined,
): (value: unknown) => unknown {
  if (output === 'probability') {
    if (positive !== undefined)
      return (value) => (value === null || value === undefined ? undefined : String(value) === positive);
    const truths = new Map<unknown, boolean>([
      [true, true],
      [1, true],
      ['1', true],
      ['true', true],
      [false, false],
      [0, false],
      ['0', false],
      ['false', false],
    ]);
    return (value) => truths.get(value);
  }
  if (output === 'scores') {
    // A file may hold the texts of numbers, or numbers for texts.
    const byText = new Map<string, ClassLabel>(classes.map((one) => [String(one), one]));
    return (value) => byText.get(String(value));
  }
  return (value) => (typeof value === 'boolean' ? Number(value) : value);
}
