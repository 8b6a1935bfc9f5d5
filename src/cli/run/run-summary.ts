import type { DurationHistogram } from '../../runtime/index.js';
import type { RunCount } from '../../server/run-counts.js';
import { findings, type RunFindings } from '../../server/run-shares.js';
import type { Topology } from '../../topology/index.js';

/** What a run did, in numbers: for `--json`, and for the text below. */
export interface RunSummary {
  readonly topology: string;
  readonly profile: string;
  readonly seconds: number;
  /** Records of each source, of all runs that share the state. */
  readonly read: Readonly<Record<string, number>>;
  /** Values that each sink was given. */
  readonly written: Readonly<Record<string, number>>;
  /** Values that went through each repartition. */
  readonly repartitioned: Readonly<Record<string, number>>;
  /** By reason. */
  readonly deadLetters: Readonly<Record<string, number>>;
  /** What this run alone did, without the runs before it that share its state. */
  readonly thisRun: {
    readonly read: Readonly<Record<string, number>>;
    readonly written: Readonly<Record<string, number>>;
    /** Records read, on average since the start. */
    readonly recordsPerSecond: number;
  } & RunFindings;
  /** All counters, by step. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** Sums up a run from its counters; they are part of the checkpoints, so they count on over restarts. */
export function summarize(
  topology: Topology,
  profile: string,
  seconds: number,
  counts: readonly RunCount[],
  latency: DurationHistogram,
): RunSummary {
  const counters: Record<string, Record<string, number>> = {};
  const inThisRun: Record<string, Record<string, number>> = {};
  const deadLetters: Record<string, number> = {};
  for (const { step, name, value, inThisRun: own } of counts) {
    counters[step] = { ...counters[step], [name]: value };
    inThisRun[step] = { ...inThisRun[step], [name]: own };
    const [prefix, ...reason] = name.split(':');
    if (prefix !== 'dead') continue;
    const key = reason.join(':');
    deadLetters[key] = (deadLetters[key] ?? 0) + value;
  }
  const counted = (nodes: readonly { readonly id: string }[], name: string, from = counters) =>
    Object.fromEntries(nodes.map(({ id }) => [id, from[id]?.[name] ?? 0]));
  const readNow = counted(topology.sources, 'read', inThisRun);
  return {
    topology: topology.name,
    profile,
    seconds,
    read: counted(topology.sources, 'read'),
    written: counted(topology.sinks, 'written'),
    repartitioned: counted(topology.repartitions, 'written'),
    deadLetters,
    thisRun: {
      read: readNow,
      written: counted(topology.sinks, 'written', inThisRun),
      recordsPerSecond: total(readNow) / Math.max(seconds, 0.001),
      ...findings(counts),
    },
    counters,
    latencyMs: { p50: latency.quantileMs(0.5), p99: latency.quantileMs(0.99) },
  };
}

/** The summary for people. */
export function summaryText(summary: RunSummary): string {
  const { read, written, repartitioned, deadLetters, thisRun, seconds, latencyMs } = summary;
  const row = ([name, value]: [string, number]) => `  ${name.padEnd(24)} ${value.toLocaleString('en-US').padStart(12)}`;
  const block = (title: string, values: Readonly<Record<string, number>>) => {
    const rows = Object.entries(values);
    return rows.length === 0 ? [`${title}: none`] : [title, ...rows.map(row)];
  };
  return [
    ...block('read', read),
    ...block('written', written),
    ...(Object.keys(repartitioned).length > 0 ? block('repartitioned', repartitioned) : []),
    ...block('dead letters', deadLetters),
    `${seconds.toFixed(1)} s, ${count(total(thisRun.read))} read in this run (${count(thisRun.recordsPerSecond)}/s), latency p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`,
  ].join('\n');
}

/** One line while it runs. */
export function progressText(summary: RunSummary, recordsPerSecond: number): string {
  const { read, written, deadLetters, latencyMs } = summary;
  return [
    `${count(total(read))} read (${count(recordsPerSecond)}/s)`,
    `${count(total(written))} written`,
    `${count(total(deadLetters))} dead letters`,
    `p99 ${latencyMs.p99.toFixed(1)} ms`,
  ].join(' · ');
}

const total = (values: Readonly<Record<string, number>>): number =>
  Object.values(values).reduce((sum, value) => sum + value, 0);
const count = (value: number): string => Math.round(value).toLocaleString('en-US');
