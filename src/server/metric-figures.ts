import type { ConfidenceInterval } from '../core/index.js';
import type { Measurement } from '../runtime/index.js';
import type { Topology } from '../topology/index.js';
import { getOrInsert } from '../util/maps.js';

/** The newest value of a metric of a step, slice and model version, over the tasks that have measured it. */
export interface MetricFigures {
  readonly step: string;
  readonly name: string;
  /** Such as `origin=JFK`; empty for all records. */
  readonly slice: string;
  /** Empty for what is of no model, and `by task` where each task has a version of its own. */
  readonly version: string;
  /** Whether the versions of the step are measured side by side. */
  readonly isByVersion: boolean;
  /** The sum of a count; of others the mean, by their weights. */
  readonly value: number;
  /** Of 95 %; `null` where it is not known. */
  readonly interval: ConfidenceInterval | null;
  /** Of all tasks: such as their labels. */
  readonly weight: number | 'sum';
  readonly eventTimeMs: number;
}

/** A model learns in each task, so tasks have different versions of it. */
const BY_TASK = 'by task';

/** What is measured by itself. */
export const metricKey = ({ step, name, slice, version, isByVersion }: MetricFigures): string =>
  `${step}\0${name}\0${slice}${isByVersion ? `\0${version}` : ''}`;

/**
 * The newest metrics of the tasks of a process, those over all slices first. There may be hundreds of each of many tasks, and they are looked at once a
 * second: so nothing is made of a measurement alone.
 */
export function metricsOf(topology: Topology): (measurements: readonly Measurement[]) => MetricFigures[] {
  // A step that measures versions side by side limits them.
  const byVersion = new Set(
    topology.steps.filter(({ settings }) => settings.versionsMax !== undefined).map(({ id }) => id),
  );
  // Their verdicts stand with their rules.
  const judges = new Set(topology.steps.filter(({ rules }) => rules.length > 0).map(({ id }) => id));
  return (measurements) => {
    const bySteps = new Map<string, Map<string, Map<string, MetricSums>>>();
    const all: MetricSums[] = [];
    for (const [i, { row, interval = null, weight = 1 }] of measurements.entries()) {
      const { step, name, slice, version } = row;
      if (judges.has(step)) continue;
      const isByVersion = byVersion.has(step);
      // Of the versions of a task the last one counts, where one took over from another.
      if (!isByVersion && isSameMetric(row, measurements[i + 1]?.row)) continue;
      const byNames = getOrInsert(bySteps, step, () => new Map<string, Map<string, MetricSums>>());
      const bySlices = getOrInsert(byNames, name, () => new Map<string, MetricSums>());
      const key = isByVersion ? `${slice}\0${version}` : slice;
      const known = bySlices.get(key);
      if (known) addTo(known, row, interval, weight);
      else {
        const { value, eventTimeMs } = row;
        const begun = beginSums({ step, name, slice, version, isByVersion, value, interval, weight, eventTimeMs });
        bySlices.set(key, begun);
        all.push(begun);
      }
    }
    return wholeFirst(all.map(figuresOf));
  };
}

type Row = Measurement['row'];

/** Those of a task and metric stand beside each other. */
const isSameMetric = (a: Row, b: Row | undefined): boolean =>
  b !== undefined && a.name === b.name && a.slice === b.slice && a.step === b.step && a.task === b.task;

/** Those over all slices first: lists end somewhere. */
export const wholeFirst = (figures: readonly MetricFigures[]): MetricFigures[] =>
  figures.toSorted((a, b) => Number(a.slice !== '') - Number(b.slice !== ''));

/**
 * Figures of tasks, added up: of a mean with their weights. The interval is that of a mean of independent figures, whose distances to their
 * limits are added in squares.
 * Source: Zou and Donner, "Construction of confidence limits about effect measures: a general approach", Statistics in Medicine 27 (2008).
 */
interface MetricSums {
  /** With the version and time of all. */
  first: MetricFigures;
  isOne: boolean;
  value: number;
  weight: number;
  /** NaN without an interval. */
  lowSquares: number;
  highSquares: number;
}

type Added = Pick<MetricFigures, 'value' | 'version' | 'eventTimeMs'>;
const weightIn = (weight: MetricFigures['weight']): number => (weight === 'sum' ? 1 : weight);
const squareTo = (limit: number | undefined, value: number, weight: number): number =>
  limit === undefined ? Number.NaN : ((value - limit) * weight) ** 2;

function beginSums(first: MetricFigures): MetricSums {
  const { value, interval } = first;
  const weight = weightIn(first.weight);
  return {
    ...{ first, isOne: true, value: value * weight, weight },
    ...{ lowSquares: squareTo(interval?.[0], value, weight), highSquares: squareTo(interval?.[1], value, weight) },
  };
}

function addTo(
  sums: MetricSums,
  { value, version, eventTimeMs }: Added,
  interval: MetricFigures['interval'],
  weight: MetricFigures['weight'],
): void {
  const by = weightIn(weight);
  const { first } = sums;
  sums.isOne = false;
  sums.value += value * by;
  sums.weight += by;
  sums.lowSquares += squareTo(interval?.[0], value, by);
  sums.highSquares += squareTo(interval?.[1], value, by);
  if (first.version !== version || first.eventTimeMs < eventTimeMs)
    sums.first = {
      ...first,
      version: first.version === version ? version : BY_TASK,
      eventTimeMs: Math.max(first.eventTimeMs, eventTimeMs),
    };
}

function figuresOf({ first, isOne, value, weight, lowSquares, highSquares }: MetricSums): MetricFigures {
  if (isOne) return first;
  if (first.weight === 'sum') return { ...first, value, interval: null };
  const mean = value / weight;
  const interval = [mean - Math.sqrt(lowSquares) / weight, mean + Math.sqrt(highSquares) / weight] as const;
  return { ...first, value: mean, interval: Number.isNaN(interval[0]) ? null : interval, weight };
}

/** Of the tasks of both: the sum of a count, the weighted mean of others. */
export function mergedMetric(a: MetricFigures, b: MetricFigures): MetricFigures {
  const sums = beginSums(a);
  addTo(sums, b, b.interval, b.weight);
  return figuresOf(sums);
}
