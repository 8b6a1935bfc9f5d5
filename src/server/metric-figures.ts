import type { ConfidenceInterval } from '../core/index.js';
import type { Measurement } from '../runtime/index.js';
import type { Topology } from '../topology/index.js';

/** The newest value of a metric of a step, slice and model version: the mean over the tasks that have measured it. */
export interface MetricFigures {
  readonly step: string;
  readonly name: string;
  /** Such as `origin=JFK`; empty for all records. */
  readonly slice: string;
  /** Empty for what is of no model, and `by task` where each task has a version of its own. */
  readonly version: string;
  /** Whether the versions of the step are measured side by side. */
  readonly isByVersion: boolean;
  readonly value: number;
  /** Of 95 %; `null` where it is not known. */
  readonly interval: ConfidenceInterval | null;
  readonly tasks: number;
  readonly eventTimeMs: number;
}

/** A model learns in each task, so tasks have different versions of it. */
const BY_TASK = 'by task';

/** What is measured by itself. */
export const metricKey = ({ step, name, slice, version, isByVersion }: MetricFigures): string =>
  `${step}\0${name}\0${slice}${isByVersion ? `\0${version}` : ''}`;

/** The newest metrics of the tasks of a process, those over all slices first. */
export function metricsOf(topology: Topology): (measurements: readonly Measurement[]) => MetricFigures[] {
  // A step that measures versions side by side limits them.
  const byVersion = new Set(
    topology.steps.filter(({ settings }) => settings.versionsMax !== undefined).map(({ id }) => id),
  );
  // Their verdicts stand with their rules.
  const judges = new Set(topology.steps.filter(({ rules }) => rules.length > 0).map(({ id }) => id));
  return (measurements) => {
    const ofTasks = new Map<string, MetricFigures>();
    for (const { row, interval = null } of measurements) {
      const { step, task, name, slice, version, value, eventTimeMs } = row;
      if (judges.has(step)) continue;
      const isByVersion = byVersion.has(step);
      const figures = { step, name, slice, version, isByVersion, value, interval, tasks: 1, eventTimeMs };
      ofTasks.set(`${task}\0${metricKey(figures)}`, figures); // the last one, where a version took over from another
    }
    const all = new Map<string, MetricFigures>();
    for (const figures of ofTasks.values()) {
      const known = all.get(metricKey(figures));
      all.set(metricKey(figures), known ? mergedMetric(known, figures) : figures);
    }
    return wholeFirst([...all.values()]);
  };
}

/** Those over all slices first: lists end somewhere. */
export const wholeFirst = (figures: readonly MetricFigures[]): MetricFigures[] =>
  figures.toSorted((a, b) => Number(a.slice !== '') - Number(b.slice !== ''));

/**
 * The mean over the tasks of both. Its interval is that of a mean of independent figures, whose distances to their limits are added in squares.
 * Source: Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in Medicine 27 (2008).
 */
export function mergedMetric(a: MetricFigures, b: MetricFigures): MetricFigures {
  const tasks = a.tasks + b.tasks;
  const value = (a.value * a.tasks + b.value * b.tasks) / tasks;
  const off = (limit: 0 | 1): number =>
    Math.hypot(...[a, b].map((each) => (each.value - (each.interval?.[limit] ?? 0)) * each.tasks)) / tasks;
  return {
    ...a,
    version: a.version === b.version ? a.version : BY_TASK,
    value,
    interval: a.interval && b.interval && [value - off(0), value + off(1)],
    tasks,
    eventTimeMs: Math.max(a.eventTimeMs, b.eventTimeMs),
  };
}
