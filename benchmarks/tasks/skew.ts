import assert from 'node:assert';
import { kafka as specs } from '../../connectors/kafka/index.js';
import type { Kafka } from '../../connectors/kafka/open.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import { json } from '../../src/schema/index.js';
import { internalTopic } from '../../src/topology/index.js';
import type { BenchmarkResult } from '../benchmark.js';
import { withBroker } from '../kafka/world.js';
import { type Spread, spreadOf } from '../pairs.js';
import { Worker } from './process.js';
import { merging, outputs, type PageHour } from './topologies.js';
import { expectedHours, writeVisits } from './visits.js';

const PARTITIONS = 8;
const SKEW = 100;
const HOURS_MS = 60_000;

const topicOf = (spread: string): string => `bench.${spread}`;

interface Read {
  readonly recordsPerSecond: number;
  /** Until all but the largest partition were read and committed, through the time for all; both since the first commit. */
  readonly othersDoneAt: number;
}

/** As many records in each partition, and a hundred times as many in one as in each other. */
const spreads = {
  even: (records: number) => Array.from({ length: PARTITIONS }, () => Math.floor(records / PARTITIONS)),
  skewed: (records: number) => {
    const few = Math.floor(records / (SKEW + PARTITIONS - 1));
    return Array.from({ length: PARTITIONS }, (_, partition) => (partition === 0 ? SKEW * few : few));
  },
};

/** Runs both in turn, each over topics of its own, and compares the results of all runs with what was written. */
export async function skew(
  progress: (line: string) => void,
  { records, rounds }: { readonly records: number; readonly rounds: number },
): Promise<Pick<BenchmarkResult, 'figures' | 'ratios'> & { readonly othersDoneAt: Spread }> {
  const reads: Record<keyof typeof spreads, Read[]> = { even: [], skewed: [] };
  await withBroker(progress, async (broker, kafka) => {
    const names = ['even', 'skewed'] as const;
    for (const name of names) await writeVisits(kafka, topicOf(name), spreads[name](records));
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const read = await readAll(broker, kafka, topicOf(name), spreads[name](records), `${name}-${round}`);
        reads[name].push(read);
        const rate = Math.round(read.recordsPerSecond).toLocaleString('en-US');
        const others = read.othersDoneAt.toFixed(2);
        progress(
          `round ${round + 1}/${rounds}  ${name}: ${rate} records/s, the others done after ${others} of the time`,
        );
      }
    }
  });
  const rates = (name: keyof typeof spreads) => reads[name].map(({ recordsPerSecond }) => recordsPerSecond);
  return {
    figures: { 'even, records/s': spreadOf(rates('even')), 'skewed 100 : 1, records/s': spreadOf(rates('skewed')) },
    ratios: {
      'records/s, skewed through even': spreadOf(
        rates('skewed').map((rate, round) => rate / (rates('even')[round] as number)),
      ),
    },
    othersDoneAt: spreadOf(reads.skewed.map(({ othersDoneAt }) => othersDoneAt)),
  };
}

async function readAll(
  broker: string,
  kafka: Kafka,
  topic: string,
  counts: readonly number[],
  prefix: string,
): Promise<Read> {
  const worker = new Worker({ broker, topology: 'merging', topic, prefix });
  const largest = Math.max(...counts);
  const isDone = (offset: number | undefined, count: number) => offset !== undefined && offset >= count;
  const first = await worker.until('a task has committed', ({ firstCommitsMs }) => firstCommitsMs.length > 0, 10);
  const before = first.committed.reduce((sum, offset) => sum + offset, 0);
  let othersMs: number | undefined;
  const done = await worker.until('all is read', ({ committed, nowMs }) => {
    const others = counts.every((count, task) => count === largest || isDone(committed[task], count));
    if (others) othersMs ??= nowMs;
    return counts.every((count, task) => isDone(committed[task], count));
  });
  const all = counts.reduce((sum, count) => sum + count, 0);
  await compare(kafka, expectedHours(counts));
  await worker.stop();
  // Neither is named after the prefix, so the next run would read it.
  for (const written of [outputs.hours, internalTopic(merging(topic).name, 'by-page')])
    await kafka.deleteTopic(written);
  const seconds = (done.nowMs - first.nowMs) / 1_000;
  return {
    recordsPerSecond: (all - before) / seconds,
    othersDoneAt: ((othersMs as number) - first.nowMs) / (done.nowMs - first.nowMs),
  };
}

/** Every hour that is over is in the topic, once and with the right count, and no other. */
async function compare(kafka: Kafka, expected: ReadonlyMap<string, number>): Promise<void> {
  const reader = await kafka.source.open(specs.source({ topic: outputs.hours, schema: json() }), {
    task: { topology: 'compare', partition: 0 },
    partition: 0,
    offset: EARLIEST,
    bounded: false,
    step: 'hours',
  });
  const found = new Map<string, number>();
  let read = 0;
  for (const giveUpMs = performance.now() + HOURS_MS; read < expected.size && performance.now() < giveUpMs; ) {
    const { records } = await reader.poll(1_000);
    for (const { value } of records) {
      const { key, startMs, visits } = JSON.parse(Buffer.from(value as Uint8Array).toString()) as PageHour;
      found.set(`${key} ${startMs}`, visits);
      read += 1;
    }
  }
  await reader.close();
  assert.strictEqual(read, expected.size);
  assert.deepStrictEqual(found, expected);
}
