import type { InferenceService, MetricRow, OutgoingRecord, ProvidedService, Source, Upsert } from '../core/index.js';
import { MillraceError } from '../core/index.js';
import { createInference } from '../inference/index.js';
import { type RunSnapshot, runTopology } from '../runtime/index.js';
import { openCodec, type WireCodec } from '../schema/index.js';
import type { Topology } from '../topology/index.js';
import { type FakeStore, MemoryProfile } from './memory-profile.js';
import { VirtualClock } from './virtual-clock.js';

/** Options of `TopologyTest`. */
export interface TopologyTestOptions {
  /** Partitions of every topic, and so tasks; 1 by default. */
  readonly partitions?: number;
  /** Replaces the real inference service. */
  readonly inference?: InferenceService;
  /** Services that steps use, besides inference and lookups. */
  readonly services?: readonly ProvidedService[];
  /** Replace the stores of lookup steps, by step. */
  readonly lookups?: Readonly<Record<string, FakeStore>>;
}

/** A dead letter in a form for tests. */
export interface SeenDeadLetter {
  readonly reason: string;
  readonly detail: string;
  readonly step: string;
  readonly offset: number;
}

/**
 * Runs a topology without a broker: pass values to its sources, run, check its sinks. It uses the real runtime, codecs and
 * operators, with a log in memory and virtual time. Every `run` restores from the checkpoint of the one before.
 *
 * @example
 * const test = new TopologyTest(flightDelays);
 * await test.pipe('departed', [{ flightId: 1, departedAt: 0, origin: 'ATL', destination: 'ORD', distance: 606 }]);
 * await test.run();
 * expect(test.output('predictions')).toHaveLength(1);
 * await test.close();
 */
export class TopologyTest {
  readonly clock = new VirtualClock();
  private readonly partitions: number;
  private readonly profile: MemoryProfile;
  private readonly inference: InferenceService;
  private readonly codecs = new Map<string, WireCodec<unknown>>();
  private last: RunSnapshot | undefined;

  constructor(
    private readonly topology: Topology,
    private readonly options: TopologyTestOptions = {},
  ) {
    const { partitions = 1, lookups = {} } = options;
    if (!(Number.isInteger(partitions) && partitions >= 1))
      throw new MillraceError('config', `partitions is ${partitions}`, { hint: 'give a whole number from 1' });
    for (const step of Object.keys(lookups))
      if (!topology.steps.some(({ id }) => id === step)) throw unknown('step', step, topology.steps);
    this.partitions = partitions;
    this.profile = new MemoryProfile(partitions, {}, lookups);
    this.inference = options.inference ?? createInference();
  }

  /** Appends values to a source's topic, or `Upsert`s to a table's; the timestamp is the virtual time. */
  async pipe(source: string, values: readonly unknown[], partition = 0): Promise<void> {
    const node = this.sourceOf(source);
    const codec = await this.codecOf(source, node);
    const timestampMs = this.clock.now();
    const records = values.map((value) =>
      node.upserts
        ? upsertRecord(value as Upsert<unknown>, codec, timestampMs)
        : { key: null, value: codec.encode(value), timestampMs },
    );
    this.append(node, partition, records);
  }

  /** Appends raw bytes: malformed payloads, tombstones (`null`), foreign encodings. */
  pipeRaw(source: string, values: readonly (Uint8Array | null)[], partition = 0): void {
    const timestampMs = this.clock.now();
    this.append(
      this.sourceOf(source),
      partition,
      values.map((value) => ({ key: null, value, timestampMs })),
    );
  }

  /**
   * Processes all piped records and commits, as `millrace run --until-end` does. A step that waits for event time, such as a join or a
   * window, keeps what it waits with: the clock of an input believes its time once three records agree, so that two or three records may
   * give no output yet. `finish` gives it.
   */
  run(): Promise<void> {
    return this.runToEnd(false);
  }

  /** Like `run`, with the end of the inputs: joins emit what they hold back, open windows close, timers fire. For the last call of a test. */
  finish(): Promise<void> {
    return this.runToEnd(true);
  }

  private async runToEnd(final: boolean): Promise<void> {
    const running = await runTopology(this.topology, {
      profile: this.profile,
      inference: this.inference,
      services: this.options.services,
      clock: this.clock,
      bounded: true,
      final,
    });
    try {
      await running.finished;
    } finally {
      this.last = running.snapshot();
    }
  }

  /** All values that a sink got, in order. */
  output(sink: string): unknown[] {
    if (!this.topology.sinks.some(({ id }) => id === sink)) throw unknown('sink', sink, this.topology.sinks);
    return this.profile.outputOf(sink).map(({ value }) => value);
  }

  deadLetters(): SeenDeadLetter[] {
    return this.profile.outputOf('$dead-letters').map(({ value }) => {
      const { reason, detail, step, origin } = value as {
        reason: string;
        detail: string;
        step: string;
        origin: { offset: number };
      };
      return { reason, detail, step, offset: origin.offset };
    });
  }

  /** Measurements and counters that the topology's first metrics sink got. */
  metrics(): MetricRow[] {
    return this.profile.outputOf('$metrics').map(({ value }) => value as MetricRow);
  }

  /** A cumulative counter of a step, summed over tasks; 0 if it was never used. */
  counter(step: string, name: string): number {
    const counters = this.last?.counters.filter((counter) => counter.step === step) ?? [];
    const { sources, steps, sinks } = this.topology;
    const nodes = [...sources, ...steps, ...sinks];
    if (counters.length === 0 && !nodes.some(({ id }) => id === step)) throw unknown('step', step, nodes);
    return counters.find((counter) => counter.name === name)?.value ?? 0;
  }

  async close(): Promise<void> {
    await this.inference.close();
  }

  private append({ topic }: Source<unknown>, partition: number, records: readonly OutgoingRecord[]): void {
    if (!(Number.isInteger(partition) && partition >= 0 && partition < this.partitions))
      throw new MillraceError('config', `there is no partition ${partition}`, {
        where: topic,
        hint: `they are 0 to ${this.partitions - 1}: give the test more of them, with its option \`partitions\``,
      });
    this.profile.append(topic, partition, records);
  }

  private sourceOf(source: string): Source<unknown> {
    const node = this.topology.sources.find(({ id }) => id === source);
    if (!node) throw unknown('source', source, this.topology.sources);
    return node.source;
  }

  private async codecOf(id: string, source: Source<unknown>): Promise<WireCodec<unknown>> {
    const codec = this.codecs.get(id) ?? (await openCodec(source.schema, this.profile.schemas));
    this.codecs.set(id, codec);
    return codec;
  }
}

function upsertRecord({ key, value }: Upsert<unknown>, codec: WireCodec<unknown>, timestampMs: number): OutgoingRecord {
  return { key: Buffer.from(key), value: value === null ? null : codec.encode(value), timestampMs };
}

const unknown = (kind: string, id: string, known: readonly { readonly id: string }[]): MillraceError =>
  new MillraceError('config', `the topology has no ${kind} '${id}'`, {
    where: id,
    hint: `it has: ${known.map((node) => node.id).join(', ')}`,
  });
