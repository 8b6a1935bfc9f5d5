/** One measurement of a step, or one of its counters, as it reaches the metrics sink. */
export interface MetricRow {
  readonly topology: string;
  readonly step: string;
  readonly task: number;
  readonly name: string;
  /** Point of event time that it speaks of. */
  readonly eventTimeMs: number;
  readonly value: number;
}
