/** A measure that a target is set for. */
export interface Metric {
  /** `undefined` while it is not known. */
  readonly value: number | undefined;
  readonly target: number;
  /** `Value`: compared as it is. `AverageValue`: its share of each process is compared. */
  readonly type: 'Value' | 'AverageValue';
}

export interface AutoscalerOptions {
  readonly min: number;
  readonly max: number;
  /** For how long the lowest proposal counts before processes are added, and the highest one before they are taken away. */
  readonly upWindowMs: number;
  readonly downWindowMs: number;
}

/** What Kubernetes adds at most within a period: as many as there are, or four. */
const UP_PERIOD_MS = 15_000;
const UP_MIN = 4;
/** A measure this near to its target changes nothing. */
const TOLERANCE = 0.1;

/**
 * How many processes the metrics propose, as the HorizontalPodAutoscaler of Kubernetes computes it: the most that one of them proposes. While
 * one is not known, nothing is taken away.
 */
export function proposed(current: number, metrics: readonly Metric[]): number {
  const known = metrics.flatMap(({ value, target, type }) => {
    if (value === undefined) return [];
    const ratio = value / target / (type === 'Value' ? 1 : current);
    return Math.abs(ratio - 1) <= TOLERANCE ? current : Math.ceil(ratio * current);
  });
  const most = Math.max(0, ...known);
  return known.length < metrics.length ? Math.max(current, most) : most;
}

/**
 * Decides as the HorizontalPodAutoscaler does: what the metrics propose, held back by the windows of stabilization, by what may be added
 * within fifteen seconds, and by the limits. Called every few seconds with the number of processes that are wanted now.
 *
 * Memory: proposals within the windows.
 */
export function autoscaler({ min, max, upWindowMs, downWindowMs }: AutoscalerOptions) {
  let proposals: { readonly atMs: number; readonly count: number }[] = [];
  let changes: { readonly atMs: number; readonly from: number }[] = [];
  return (current: number, metrics: readonly Metric[], nowMs: number): number => {
    const proposal = proposed(current, metrics);
    proposals = [...proposals, { atMs: nowMs, count: proposal }].filter(
      ({ atMs }) => atMs >= nowMs - Math.max(upWindowMs, downWindowMs),
    );
    const within = (windowMs: number) =>
      proposals.filter(({ atMs }) => atMs >= nowMs - windowMs).map(({ count }) => count);
    const lowest = Math.min(...within(upWindowMs));
    const highest = Math.max(...within(downWindowMs));
    const stable = Math.min(Math.max(current, lowest), highest);
    changes = changes.filter(({ atMs }) => atMs > nowMs - UP_PERIOD_MS);
    const from = Math.min(current, ...changes.map((change) => change.from));
    const wanted = Math.min(Math.max(Math.min(stable, Math.max(2 * from, from + UP_MIN)), min), max);
    if (wanted > current) changes.push({ atMs: nowMs, from: current });
    return wanted;
  };
}
