import type { RunSnapshot } from '../../runtime/index.js';
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
  /** All counters, by step. */
  readonly counters: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** Sums up a run from its counters; they are part of the checkpoints, so they count on over restarts. */
export function summarize(topology: Topology, profile: string, seconds: number, snapshot: RunSnapshot): RunSummary {
  const counters: Record<string, Record<string, number>> = {};
  const deadLetters: Record<string, number> = {};
  for (const { step, name, value } of snapshot.counters) {
    counters[step] = { ...counters[step], [name]: value };
    const [prefix, ...reason] = name.split(':');
    if (prefix !== 'dead') continue;
    const key = reason.join(':');
    deadLetters[key] = (deadLetters[key] ?? 0) + value;
  }
  const counted = (nodes: readonly { readonly id: string }[], name: string) =>
    Object.fromEntries(nodes.map(({ id }) => [id, counters[id]?.[name] ?? 0]));
  return {
    topology: topology.name,
    profile,
    seconds,
    read: counted(topology.sources, 'read'),
    written: counted(topology.sinks, 'written'),
    repartitioned: counted(topology.repartitions, 'written'),
    deadLetters,
    counters,
    latencyMs: { p50: snapshot.latency.quantileMs(0.5), p99: snapshot.latency.quantileMs(0.99) },
  };
}

/** The summary for people. */
export function summaryText(summary: RunSummary): string {
  const { read, written, repartitioned, deadLetters, seconds, latencyMs } = summary;
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
    `${seconds.toFixed(1)} s, latency p50 ${latencyMs.p50.toFixed(1)} ms, p99 ${latencyMs.p99.toFixed(1)} ms`,
  ].join('\n');
}

/** One line while it runs. */
export function progressText(summary: RunSummary, recordsPerSecond: number): string {
  const total = (values: Readonly<Record<string, number>>) =>
    Object.values(values).reduce((sum, value) => sum + value, 0);
  const { read, written, deadLetters, latencyMs } = summary;
  const count = (value: number) => Math.round(value).toLocaleString('en-US');
  return [
    `${count(total(read))} read (${count(recordsPerSecond)}/s)`,
    `${count(total(written))} written`,
    `${count(total(deadLetters))} dead letters`,
    `p99 ${latencyMs.p99.toFixed(1)} ms`,
  ].join(' · ');
}
