import { percent, shortDate } from './charts.js';
import type { FlightReport, RunFacts, Score } from './report.js';

/** What the reader is told besides the figures. */
export interface Pointers {
  /** Where things are: a name and a path each. */
  readonly files: readonly (readonly [name: string, path: string])[];
  /** Commands to try next, each with what it shows. */
  readonly commands: readonly (readonly [command: string, what: string])[];
}

const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
const fixed = (n: number | null): string => (n === null ? '-' : n.toFixed(3));

/** The most memory that a run took. */
const memoryText = ({ peakRssMiB, peakOwnMiB }: RunFacts): string =>
  peakOwnMiB === null ? `at most ${whole(peakRssMiB)} MiB` : `at most ${whole(peakOwnMiB)} MiB beside mapped files`;

/**
 * The report for a terminal: short, aligned, without colours.
 *
 * @example
 * process.stdout.write(reportText(report, { files: [['report', 'report.html']], commands: [['millrace demo --all', 'all flights']] }));
 */
export function reportText(report: FlightReport, { files, commands }: Pointers): string {
  const { counts, late, risk, baselines, byWeek, byOrigin } = report;
  const { labels } = counts;
  const sections = [
    `${whole(report.flights)} flights in ${report.seconds.toFixed(1)} s: ${whole(report.recordsPerSecond)} records/s, ${memoryText(
      report,
    )}. ${percent(late.lateShare, 1)} were late.`,
    table([
      ['', 'flights', 'ROC AUC', 'log loss', 'accuracy', 'calibration error'],
      scoreLine('online model', late),
      scoreLine('hour-of-day rate', baselines.hourRate),
      scoreLine('last class', baselines.lastClass),
      scoreLine('majority', baselines.majority),
      scoreLine('ONNX model, from 15 January on', risk),
      ['online model on the same flights', whole(risk.rows), fixed(risk.lateRocAuc), fixed(risk.lateLogLoss), '', ''],
    ]),
    table([
      ['week of', 'flights', 'late', 'ROC AUC', 'hour rate', 'log loss', 'hour rate'],
      ...byWeek.map(({ slice, ...week }) => sliceLine(shortDate(slice), week)),
    ]),
    table([
      ['origin', 'flights', 'late', 'ROC AUC', 'hour rate', 'log loss', 'hour rate'],
      ...byOrigin.slice(0, 5).map(({ slice, ...origin }) => sliceLine(slice, origin)),
    ]),
    [
      `departed  ${whole(counts.read)} read = ${whole(counts.predictions)} predictions + ${whole(counts.duplicates)} duplicates + ${whole(
        counts.deadLetters,
      )} dead letters`,
      `arrived   ${whole(labels.read)} read = ${whole(labels.learned)} learned + ${whole(labels.duplicates)} duplicates + ${whole(
        labels.unmatched,
      )} unmatched + ${whole(labels.deadLetters)} dead letters`,
      ...caughtLines(report),
    ].join('\n'),
    table(files.map(([name, path]) => [name, path])),
    `Try next\n${indented(table(commands.map(([command, what]) => [command, what])))}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

const scoreLine = (name: string, score: Score): string[] =>
  score.rows === 0
    ? [name, '0', '-', '-', '-', '-']
    : [
        name,
        whole(score.rows),
        fixed(score.rocAuc),
        fixed(score.logLoss),
        percent(score.accuracy, 1),
        percent(score.calibrationError, 1),
      ];

const sliceLine = (
  name: string,
  { rows, lateShare, models }: Omit<FlightReport['byWeek'][number], 'slice'>,
): string[] => [
  name,
  whole(rows),
  percent(lateShare, 1),
  fixed(models.late?.rocAuc ?? null),
  fixed(models.hourRate?.rocAuc ?? null),
  fixed(models.late?.logLoss ?? null),
  fixed(models.hourRate?.logLoss ?? null),
];

/** One line when all is well; otherwise one for every kind that is not. */
function caughtLines({ putIn, everythingCaught }: FlightReport): string[] {
  if (everythingCaught) return [`put in    each of ${putIn.length} kinds was caught where it should be, to the record`];
  return putIn
    .filter((line) => line.putIn !== line.caught)
    .map(
      ({ side, kinds, outcome, reason, putIn: put, caught }) =>
        `MISSING   ${side}: ${kinds.join(', ') || 'unexpected'} (${reason ?? outcome}): ${whole(put)} put in, ${whole(caught)} caught`,
    );
}

const indented = (block: string): string => block.replace(/^/gm, '  ');

/** Columns as wide as they must be: the first to the left, numbers to the right, words to the left. */
function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  const numeric = columns > 2;
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 || !numeric ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
