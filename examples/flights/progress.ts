/** What the progress line is made of. */
export interface ProgressSnapshot {
  readonly elapsedSeconds: number;
  /** Records of both topics that were read so far, and how many there are; `undefined` where nobody knows. */
  readonly records: number;
  readonly recordsTotal: number | undefined;
  /** Over the last moments, not since the start. */
  readonly recordsPerSecond: number;
  /** From the reading of a record to the writing of its result. */
  readonly latencyMs: { readonly p50: number; readonly p99: number } | undefined;
  /** Where the stream stands in its own time. */
  readonly streamTimeMs: number | undefined;
  /** The last full hour of stream time. */
  readonly lastHour: HourScores | undefined;
  readonly deadLetters: number;
}

export interface HourScores {
  readonly logLoss: number;
  readonly rocAuc: number | null;
  readonly hourRateLogLoss: number;
  readonly hourRateRocAuc: number | null;
}

const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
const fixed = (n: number | null): string => (n === null ? '-' : n.toFixed(3));
const duration = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`);

/**
 * The progress in one line: how far, how fast, and how the model did in the last hour of stream time beside knowing
 * only the hour of the day. The most important comes first, since a narrow terminal cuts the end off.
 *
 * @example
 * progressLine(snapshot);
 * // ' 42 %  10 Jan 13:00  52,310/s  p50 41 ms p99 96 ms  1,812 dead  AUC 0.742 (hour rate 0.621)  log loss 0.431 (0.502)'
 */
export function progressLine(snapshot: ProgressSnapshot): string {
  const { records, recordsTotal, latencyMs, streamTimeMs, lastHour } = snapshot;
  const parts = [
    recordsTotal ? `${Math.floor((100 * records) / recordsTotal)} %`.padStart(5) : whole(records),
    streamTimeMs === undefined ? '' : streamTime(streamTimeMs),
    `${whole(snapshot.recordsPerSecond)}/s`,
    latencyMs ? `p50 ${duration(latencyMs.p50)} p99 ${duration(latencyMs.p99)}` : '',
    `${whole(snapshot.deadLetters)} dead`,
    lastHour ? `AUC ${fixed(lastHour.rocAuc)} (hour rate ${fixed(lastHour.hourRateRocAuc)})` : '',
    lastHour ? `log loss ${fixed(lastHour.logLoss)} (${fixed(lastHour.hourRateLogLoss)})` : '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

const monthDay = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', timeZone: 'UTC' });

const streamTime = (ms: number): string => `${monthDay.format(ms)} ${new Date(ms).toISOString().slice(11, 16)}`;

/** Where progress goes; `process.stderr` fits. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressWriter {
  show(snapshot: ProgressSnapshot): void;
  /** Leaves the last line standing; what is written next begins below it. */
  end(): void;
}

/** Between two lines where there is no terminal that could rewrite one. */
const quietSeconds = 5;

/**
 * Writes progress: on a terminal one line that is rewritten, elsewhere a line every five seconds.
 *
 * @example
 * const progress = progressWriter(process.stderr);
 * progress.show(snapshot);
 * progress.end();
 */
export function progressWriter(stream: ProgressStream): ProgressWriter {
  let open = false;
  let lastSeconds = Number.NEGATIVE_INFINITY;
  return {
    show(snapshot) {
      const line = progressLine(snapshot);
      if (stream.isTTY) {
        // A line longer than the terminal would wrap, and a wrapped line cannot be rewritten.
        stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
        open = true;
      } else if (snapshot.elapsedSeconds - lastSeconds >= quietSeconds) {
        stream.write(`${line}\n`);
        lastSeconds = snapshot.elapsedSeconds;
      }
    },
    end() {
      if (open) stream.write('\n');
      open = false;
    },
  };
}
