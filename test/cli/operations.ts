import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafka } from '../../connectors/kafka/index.js';
import { hours, type OutgoingRecord, stateful } from '../../src/core/index.js';
import { dedupe } from '../../src/operators/index.js';
import { type Embedded, openEmbedded } from '../../src/profiles/embedded/index.js';
import type { OpenProfile } from '../../src/profiles/profiles.js';
import { runTopology } from '../../src/runtime/index.js';
import { json, localRegistry } from '../../src/schema/index.js';
import { mapCell, valueCell } from '../../src/state/index.js';
import { readTopic } from '../../src/topics/read-topic.js';
import { type Topology, topology } from '../../src/topology/index.js';

// A topology whose every output depends on all that its task has read: what is lost, doubled or out of order shows.

export const PARTITIONS = 2;

export interface Event {
  readonly id: string;
  readonly n: number;
}

const totals = () =>
  stateful<Event, Event & { readonly seen: number; readonly total: number }, ReturnType<typeof cells>>({
    kind: 'totals',
    cells: cells(),
    open: ({ sum, byKey }) => ({
      onRecord(_, event, emit) {
        sum.set(sum.get() * 1.0000001 + event.n);
        const key = event.id.slice(0, 1);
        byKey.set(key, (byKey.get(key) ?? 0) + 1);
        emit({ ...event, seen: byKey.get(key) ?? 0, total: sum.get() });
      },
    }),
  });
const cells = () => ({ sum: valueCell({ initial: 0 }), byKey: mapCell<string, number>() });

export interface JobNames {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly dead: string;
}

export const namesOf = (name: string): JobNames => ({
  name,
  input: `${name}.in`,
  output: `${name}.out`,
  dead: `${name}.dead`,
});

export function job({ name, input, output, dead }: JobNames, addedStep?: string): Topology {
  return topology(name, { deadLetters: kafka.deadLetterSink({ topic: dead }) }, (t) => {
    const counted = t
      .source('events', kafka.source({ topic: input, schema: json<Event>() }))
      .via('dedupe', dedupe({ key: (event) => event.id, retention: hours(24), keysMax: 10_000 }))
      .via('totals', totals());
    const last =
      addedStep === undefined
        ? counted
        : counted.via(addedStep, dedupe({ key: (event) => event.id, retention: hours(1), keysMax: 10 }));
    last.to('out', kafka.sink({ topic: output, schema: json<Event>() }));
  });
}

/** Events `from` to `to`, some of them doubled, every 25th of them no JSON; without keys, so that outputs stay in their task's partition. */
export const events = (from: number, to: number): OutgoingRecord[] =>
  Array.from({ length: to - from }, (_, index) => {
    const n = from + index;
    const id = `${'abcde'[n % 5]}${n % 10 === 9 ? n - 5 : n}`;
    const value = n % 25 === 24 ? `not json ${n}` : JSON.stringify({ id, n });
    return { key: null, value: Buffer.from(value), timestampMs: 1_700_000_000_000 + n * 1_000 };
  });

/** Appends events to the partitions that their numbers say. */
export async function feed(
  profile: OpenProfile,
  { input }: JobNames,
  records: readonly OutgoingRecord[],
): Promise<void> {
  const producer = profile.producer();
  await producer.createTopic(input, PARTITIONS);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await producer.append(
      input,
      partition,
      records.filter((_, index) => index % PARTITIONS === partition),
    );
  }
  await producer.close();
}

const noInference = {
  open: () => Promise.reject(new Error('there is no model here')),
  close: async () => undefined,
};

/** Runs to where the logs end now. */
export async function runToEnd(profile: OpenProfile, topology: Topology, acceptPlan = false): Promise<void> {
  const running = await runTopology(topology, { profile, inference: noInference, bounded: true, acceptPlan });
  await running.finished;
}

/** The values of a topic as text, by partition. */
export async function textsIn(profile: OpenProfile, topic: string): Promise<string[][]> {
  const found: string[][] = (await profile.endOffsets(topic)).map(() => []);
  for await (const { partition, record } of readTopic(profile, topic)) {
    found[partition]?.push(Buffer.from(record.value ?? []).toString());
  }
  return found;
}

/** A profile of topics only, on the embedded store. */
export const embeddedWorld = (log: Embedded): OpenProfile => ({
  name: 'embedded',
  sources: { kafka: log.source, internal: log.source },
  sinks: { kafka: log.topicSink, internal: log.topicSink, redis: log.hashSink },
  openLedger: (task) => log.openLedger(task),
  schemas: log.schemas,
  producer: () => log.producer(),
  endOffsets: (topic) => log.endOffsets(topic),
  logEnds: async (topic) => (await log.endOffsets(topic)).map((end) => ({ end, stableEnd: end })),
  offsetsAt: (topic, point) => log.offsetsAt(topic, point),
  checkpoints: log.checkpoints,
  connect: () => Promise.reject(new Error('there is no connector here')),
  driver: () => Promise.reject(new Error('there is no connector here')),
  removal: { topic: async () => undefined, topology: async () => undefined },
  close: () => log.close(),
});

/** An embedded profile in a folder of its own, which goes with it. */
export async function freshWorld(): Promise<{ profile: OpenProfile; data: string; remove(): Promise<void> }> {
  const data = mkdtempSync(join(tmpdir(), 'millrace-operations-'));
  const profile = embeddedWorld(await openEmbedded({ path: join(data, 'log'), registry: localRegistry() }));
  return {
    profile,
    data,
    async remove() {
      await profile.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
