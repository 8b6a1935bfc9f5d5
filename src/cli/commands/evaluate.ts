import { type Command, InvalidArgumentError } from 'commander';
import { MillraceError } from '../../core/errors.js';
import type { ColumnKind } from '../../evaluate/encoder.js';
import type { Evaluation } from '../../evaluate/evaluate.js';
import { counted } from '../../util/counted.js';
import { exitCodes } from '../../util/terminal.js';
import { textTable } from '../../util/text-table.js';
import { type CommandContext, command, wholeNumber } from '../command.js';

type Declared = Readonly<Record<string, ColumnKind | 'skip'>>;

interface EvaluateFlags {
  readonly data: string;
  readonly label: string;
  readonly learner: string;
  readonly positive?: string;
  readonly columns?: Declared;
  readonly metrics?: readonly string[];
  readonly slice?: readonly string[];
  readonly weight?: string;
  readonly time?: string;
  readonly labelTime?: string;
  readonly hashBits: number;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

const kinds = ['number', 'category', 'skip'] as const;

/** `millrace evaluate`: how well an online learner would have predicted a file, row by row. */
export function evaluateCommand({ terminal, act }: CommandContext): Command {
  return command(
    'evaluate',
    'Predicts each row of a file, scores the prediction, then learns from the row (progressive validation).',
    [
      "millrace evaluate --data loans.csv --label repaid --learner 'logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) })'",
      "millrace evaluate --data homes.parquet --label price --learner 'pipe(standardScaler(), linearRegression({ optimizer: sgd({ rate: 0.01 }) }))'",
    ],
  )
    .requiredOption('--data <file>', 'rows in their order: .csv, .tsv, .ndjson (also .gz, .zst) or .parquet')
    .requiredOption('--label <column>', 'column to predict')
    .requiredOption('--learner <expression>', 'TypeScript with the names of millrace/ml in scope')
    .option('--positive <value>', 'label that counts as true (default: true or 1)')
    .option(
      '--columns <list>',
      'declare columns instead of inferring them, such as zip:category,id:skip; others are inferred',
      declaredColumns,
    )
    .option('--metrics <list>', 'metrics to show, such as log_loss,pr_auc; an unknown name lists them', (text) =>
      text.split(','),
    )
    .option('--slice <columns>', 'measure the model by the values of these columns as well', (text) => text.split(','))
    .option('--weight <column>', 'column that says how much a row counts')
    .option('--time <column>', 'time of the prediction, for --label-time: milliseconds since 1970 or ISO 8601')
    .option('--label-time <column>', 'time of the label: until then rows are predicted without it')
    .option('--hash-bits <number>', 'size of the hashed categories: 2^N', hashBits, 18)
    .addHelpText(
      'after',
      `
Numbers and booleans are features as they are, texts are categories; other columns are left out. Missing numbers count as 0.
Baselines that know no more than the model are scored beside it.`,
    )
    .action((flags: EvaluateFlags) =>
      act(flags, async () => {
        const { time, labelTime } = flags;
        if ((time === undefined) !== (labelTime === undefined)) throw oneTime();
        const [{ evaluate }, { loadLearner }] = await Promise.all([
          import('../../evaluate/evaluate.js'),
          import('../load/load-learner.js'),
        ]);
        const result = await evaluate({
          file: flags.data,
          label: flags.label,
          learner: await loadLearner(flags.learner),
          positive: flags.positive,
          columns: flags.columns,
          hashBits: flags.hashBits,
          metrics: flags.metrics,
          slices: flags.slice,
          weight: flags.weight,
          times: time === undefined || labelTime === undefined ? undefined : { predicted: time, labelled: labelTime },
          onProgress: (rows) => terminal.err(`${counted(rows, 'row')}\n`),
        });
        if (result.rows === 0) throw nothingScored(result, flags.label);
        const shown = Object.keys(result.model);
        terminal.out(flags.json ? `${JSON.stringify(asJson(result, shown))}\n` : asText(result, shown));
        return exitCodes.ok;
      }),
    );
}

const oneTime = (): MillraceError =>
  new MillraceError('config', 'one time without the other', {
    where: '--label-time',
    hint: 'give --time COLUMN and --label-time COLUMN: rows are predicted at the one and learnt at the other',
  });

function declaredColumns(text: string, before: Declared = {}): Declared {
  const added = text.split(',').map((part): [string, ColumnKind | 'skip'] => {
    const at = part.lastIndexOf(':');
    const kind = kinds.find((one) => one === part.slice(at + 1));
    if (at < 1 || kind === undefined)
      throw new InvalidArgumentError(`NAME:KIND is wanted, KIND one of ${kinds.join(', ')}.`);
    return [part.slice(0, at), kind];
  });
  return { ...before, ...Object.fromEntries(added) };
}

function hashBits(text: string): number {
  const bits = wholeNumber(text);
  if (bits < 1 || bits > 26) throw new InvalidArgumentError('It must be between 1 and 26.');
  return bits;
}

function nothingScored({ refused, unreadable }: Evaluation, label: string): MillraceError {
  const reasons = Object.entries(refused).map(([reason, rows]) => `${counted(rows, 'row')} ${reason}`);
  const why = [...reasons, ...(unreadable.first === undefined ? [] : [unreadable.first])].join(', ');
  return new MillraceError('config', `no row could be scored: ${why}`, {
    where: label,
    hint: 'a learner of a probability takes true and false (or --positive VALUE), one of classes those that it declares, one of numbers finite numbers',
  });
}

/** Of the whole process. */
const peakBytes = (): number => process.resourceUsage().maxRSS * 1024;

function asJson({ columns, ...result }: Evaluation, shown: readonly string[]): object {
  const only = (metrics: Readonly<Record<string, number>>) =>
    Object.fromEntries(shown.map((name) => [name, Number.isNaN(metrics[name]) ? null : metrics[name]]));
  return {
    ...result,
    columns,
    model: only(result.model),
    baselines: Object.fromEntries(Object.entries(result.baselines).map(([name, metrics]) => [name, only(metrics)])),
    slices: Object.fromEntries(
      Object.entries(result.slices).map(([name, { rows, model }]) => [name, { rows, ...only(model) }]),
    ),
    rowsPerSecond: result.rows / result.seconds,
    peakMemoryBytes: peakBytes(),
  };
}

function asText(result: Evaluation, shown: readonly string[]): string {
  const { learner, columns, rows, refused, unscored, unreadable, large, missing, seconds, slices, waitingMost } =
    result;
  const line = (name: string, metrics: Readonly<Record<string, number>>) => ({
    ' ': name,
    ...Object.fromEntries(shown.map((metric) => [metric, digits(metrics[metric] as number)])),
  });
  const table = textTable([
    line(learner, result.model),
    ...Object.entries(result.baselines).map(([name, metrics]) => line(name, metrics)),
  ]);
  const bySlice = Object.entries(slices)
    .sort(([, a], [, b]) => b.rows - a.rows)
    .map(([name, { rows: count, model }]) => ({ ...line(name, model), rows: count }));
  const kindsOf = (kind: ColumnKind) => Object.values(columns).filter((one) => one === kind).length;
  const notes = [
    ...Object.entries(refused).map(([reason, count]) => `${counted(count, 'row')} not learnt: ${reason}`),
    ...(refused['too-large'] && large.length > 0
      ? [`  hint: --columns ${large.map((name) => `${name}:skip`).join(',')} leaves out numbers beyond 1,000,000`]
      : []),
    ...(unscored > 0 ? [`${counted(unscored, 'row')} not scored: the prediction was no finite number`] : []),
    ...(unreadable.rows > 0 ? [`${counted(unreadable.rows, 'row')} not read: ${unreadable.first}`] : []),
    ...(waitingMost > 0 ? [`${counted(waitingMost, 'row')} at most waited for their labels at a time`] : []),
    ...(missing > 0 ? [`${counted(missing, 'number')} missing, taken as 0`] : []),
  ];
  return `${table}
${
  bySlice.length === 0
    ? ''
    : `${textTable(bySlice)}
`
}${counted(rows, 'row')}, ${counted(kindsOf('number'), 'number')} and ${counted(kindsOf('category'), 'category', 'categories')} a row; ${Math.round(
    rows / seconds,
  ).toLocaleString('en-US')} rows/s, peak memory ${Math.round(peakBytes() / 2 ** 20)} MiB
${notes.map((note) => `${note}\n`).join('')}`;
}

/** Six digits that count; metrics lie between 0 and some thousands. */
const digits = (value: number): number | null => (Number.isNaN(value) ? null : Number(value.toPrecision(6)));
