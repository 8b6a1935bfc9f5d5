import type { BenchmarkResult } from '../benchmark.js';
import type { Spread } from '../pairs.js';

/** A benchmark's result, as `npm run bench -- NAME --json` prints it. */
export interface Report extends BenchmarkResult {
  readonly name: string;
  readonly question: string;
  readonly command: string;
}

/** What a night found. */
export interface Night {
  /** When it ended: `2026-11-29T05:12`. */
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly steps: readonly { readonly name: string; readonly isOk: boolean; readonly seconds: number }[];
  readonly reports: readonly Report[];
}

/** So many nights make a range: of fewer, nothing is said to be outside of it. */
const RANGE_NIGHTS = 3;
const BARS = '▁▂▃▄▅▆▇█';

/**
 * One page of the last of these nights, which are in their order: its steps and the figures of its benchmarks, each beside the nights before.
 * A figure outside of all that they measured is bold.
 */
export function pageOf(nights: readonly Night[]): string {
  const tonight = nights.at(-1);
  if (tonight === undefined) return '# No night yet\n';
  const before = nights.slice(0, -1);
  const failed = tonight.steps.filter(({ isOk }) => !isOk);
  const steps = tonight.steps.map(({ name, isOk, seconds }) => {
    const earlier = before.flatMap(({ steps }) => steps.find((step) => step.name === name)?.seconds ?? []);
    return row([name, isOk ? 'ok' : '**failed**', ...beside(seconds, earlier)]);
  });
  return [
    `# The night of ${tonight.date}`,
    '',
    `Commit ${tonight.commit}, ${tonight.machine}. ${tonight.steps.length - failed.length} steps passed, ${failed.length} failed${failed.map(({ name }) => `: ${name}`).join('')}.`,
    `Nights before it: ${before.length}.`,
    '',
    '## Steps',
    '',
    ...table(['step', 'result', 'seconds'], steps),
    ...tonight.reports.flatMap((report) => section(report, before)),
    '',
  ].join('\n');
}

function section(report: Report, before: readonly Night[]): string[] {
  const earlier = before.flatMap(({ reports }) => reports.filter(({ name }) => name === report.name));
  const kinds = [
    ['ratios', 'ratio'],
    ['figures', report.unit],
  ] as const;
  return [
    '',
    `## ${report.name}`,
    '',
    `${report.question} \`${report.command}\``,
    ...kinds.flatMap(([kind, unit]) => {
      const rows = Object.entries(report[kind]).map(([name, { median }]) =>
        row([name, ...beside(median, mediansOf(name, earlier, kind))]),
      );
      return rows.length === 0 ? [] : ['', ...table([unit, 'tonight'], rows)];
    }),
  ];
}

const mediansOf = (name: string, reports: readonly Report[], kind: 'ratios' | 'figures'): number[] =>
  reports.flatMap((report) => (report[kind] as Readonly<Record<string, Spread>>)[name]?.median ?? []);

/** A number tonight, the median of the nights before, the change from there, and how it went. */
function beside(now: number, before: readonly number[]): readonly [string, string, string, string] {
  const sorted = before.toSorted((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const isOutside = sorted.length >= RANGE_NIGHTS && (now < (sorted[0] as number) || now > (sorted.at(-1) as number));
  const change = median ? `${now >= median ? '+' : ''}${(100 * (now / median - 1)).toFixed(1)} %` : '';
  return [
    isOutside ? `**${shown(now)}**` : shown(now),
    median === undefined ? '' : shown(median),
    change,
    course([...before, now]),
  ];
}

const shown = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));

/** Numbers as bars, from the lowest to the highest. */
function course(values: readonly number[]): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const step = (value: number) => (high === low ? 0 : ((value - low) / (high - low)) * (BARS.length - 1));
  return values.map((value) => BARS[Math.round(step(value))]).join('');
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function table(head: readonly [string, ...string[]], rows: readonly string[]): string[] {
  const names = [...head, 'before', 'change', 'course'];
  return [row(names), `|${'---|'.repeat(names.length)}`, ...rows];
}
