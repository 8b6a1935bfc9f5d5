import { http } from '../../connectors/http/index.js';
import { kafka } from '../../connectors/kafka/index.js';
import type { OutgoingRecord } from '../../src/core/record.js';
import type { Source } from '../../src/core/source.js';
import { map } from '../../src/operators/basic/map.js';
import { json } from '../../src/schema/index.js';
import { type Topology, topology } from '../../src/topology/index.js';
import { headerBomb } from '../../test/connectors/kafka/bombs.js';

export const MIB = 2 ** 20;
export const PARTITIONS = 4;

/** What a producer may write without asking anybody. */
export interface MemoryCase {
  readonly topology: Topology;
  readonly profiles: readonly ('embedded' | 'cluster')[];
  /** What lies in the topic before the run: record after record, or batches as bytes, which only Kafka takes. */
  readonly records: () => Iterable<OutgoingRecord>;
  readonly batches?: () => readonly Buffer[];
  /** What is posted while the topology runs, packed by gzip: body after body, this many at a time. */
  readonly bodies?: { readonly each: () => Iterable<string>; readonly atOnce: number };
  /** What the counters must say at the end, where nothing was lost. */
  readonly expected: Readonly<Record<string, number>>;
}

interface Document {
  readonly n: number;
  readonly text: string;
}

/** Of this run: what an earlier one has left on a broker is not its business. */
const RUN = process.env.MEMORY_RUN ?? 'run';
export const TOPIC = `memory.${RUN}.documents`;

const measured = (
  name: string,
  source: Source<Document> = kafka.source({ topic: TOPIC, schema: json<Document>() }),
): Topology =>
  topology(`${name}-${RUN}`, { deadLetters: kafka.deadLetterSink({ topic: `memory.${RUN}.dead` }) }, (t) => {
    t.source('documents', source)
      .via(
        'measure',
        map(({ n, text }: Document) => ({ n, length: text.length })),
      )
      .to('lengths', kafka.sink({ topic: `memory.${RUN}.lengths`, schema: json<unknown>() }));
  });

function* numbered(count: number, textOf: (n: number) => string): Generator<OutgoingRecord> {
  for (let n = 0; n < count; n++)
    yield { key: Buffer.from(String(n)), value: Buffer.from(textOf(n)), timestampMs: 1.7e12 + n };
}

export const documents = (count: number): (() => Iterable<OutgoingRecord>) => {
  const text = 'x'.repeat(8 * MIB - 100);
  return () => numbered(count, (n) => `{"n":${n},"text":"${text}"}`);
};

/** Around the batch of one record with so many headers, which is a dead letter. */
const AROUND = 10;

export const cases: Readonly<Record<string, MemoryCase>> = {
  'records-of-8-mib': {
    topology: measured('memory-records'),
    profiles: ['embedded', 'cluster'],
    records: documents(700),
    expected: { 'documents/read': 700, 'lengths/written': 700 },
  },
  'dead-letters-of-1-mib': {
    topology: measured('memory-dead-letters'),
    profiles: ['embedded', 'cluster'],
    records: () => numbered(2_000, () => 'x'.repeat(MIB)),
    expected: { 'documents/read': 2_000, 'documents/dead:not-json': 2_000 },
  },
  'header-bomb': {
    topology: measured('memory-headers'),
    profiles: ['cluster'],
    records: () => numbered(AROUND, (n) => `{"n":${n},"text":""}`),
    batches: () => [headerBomb(16_000_000)],
    expected: { 'documents/read': 2 * AROUND + 1, 'lengths/written': 2 * AROUND, 'documents/dead:too-many-headers': 1 },
  },
  'gzip-flood': {
    topology: measured(
      'memory-flood',
      http.ingestSource({ topic: TOPIC, schema: json<Document>(), port: Number(process.env.MEMORY_PORT ?? 0) }),
    ),
    profiles: ['embedded'],
    records: () => [],
    bodies: { each: flood, atOnce: 300 },
    expected: {},
  },
};

/** A third of 8 MiB that are taken where there is room, a third of four million numbers, a third that becomes 32 MiB. */
function* flood(): Generator<string> {
  const document = JSON.stringify({ n: 1, text: 'x'.repeat(8 * MIB - 100) });
  const numbers = `[${'1,'.repeat(4 * MIB - 10)}1]`;
  const blank = ' '.repeat(32 * MIB);
  for (let n = 0; n < 100; n++) yield* [document, numbers, blank];
}
