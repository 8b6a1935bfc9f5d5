/** One piece of work for a worker process, as its parent sends it. */
export interface WorkOrder {
  readonly broker: string;
  readonly work: Work;
  readonly by: 'plain loop' | 'engine';
  /** Makes the names of groups, transactions and changelogs fresh. */
  readonly run: string;
  readonly partitions: number;
  readonly intervalMs: number;
}

export type Work = 'pass-through' | 'flights';

/** Topics of the benchmark; the flights' are those that their topology names. */
export const topics = {
  departed: 'flights.departed.v1',
  arrived: 'flights.arrived.v1',
  copies: 'bench.copies',
  predictions: 'predictions.v1',
} as const;

/** Measures from the first record in hand to the last commit. */
export class Window {
  private startedMs = 0;
  private before: NodeJS.CpuUsage | undefined;

  /** Begins at the first call. */
  begin(): void {
    if (this.before) return;
    this.startedMs = performance.now();
    this.before = process.cpuUsage();
  }

  end(records: number): { readonly records: number; readonly seconds: number; readonly cpuSeconds: number } {
    const { user, system } = process.cpuUsage(this.before);
    return { records, seconds: (performance.now() - this.startedMs) / 1_000, cpuSeconds: (user + system) / 1e6 };
  }
}
