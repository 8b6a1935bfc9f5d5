/** An event of Chromium's trace. Times are in microseconds; `tdur` is CPU of its thread. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly tdur?: number;
}

/** From and to, in milliseconds since the page began to load. */
export type Span = readonly [fromMs: number, toMs: number];

export const isIn = (spans: readonly Span[], ms: number): boolean => spans.some(([from, to]) => ms >= from && ms <= to);

/**
 * The CPU of the longest task on the thread of the page that painted last, after its first paint, in milliseconds. What began in
 * `without` was asked for by who measures.
 */
export function longestTaskMs(trace: Buffer, firstPaintMs: number, without: readonly Span[]): number {
  const { traceEvents } = JSON.parse(trace.toString()) as { readonly traceEvents: readonly TraceEvent[] };
  const paint = traceEvents.findLast(({ name }) => name === 'firstContentfulPaint');
  if (!paint) throw new Error('the trace has no first paint');
  const tasks = traceEvents.filter(
    ({ name, ph, pid, tid, ts }) =>
      ph === 'X' && name.endsWith('RunTask') && pid === paint.pid && tid === paint.tid && ts > paint.ts,
  );
  const sinceLoadMs = ({ ts }: TraceEvent) => firstPaintMs + (ts - paint.ts) / 1_000;
  return tasks.reduce(
    (longest, task) => (isIn(without, sinceLoadMs(task)) ? longest : Math.max(longest, (task.tdur ?? 0) / 1_000)),
    0,
  );
}
