import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { file } from '../../../connectors/file/index.js';
import { openFiles } from '../../../connectors/file/open.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { MillraceError, millis, type Profile, transform } from '../../../src/core/index.js';
import { map } from '../../../src/operators/index.js';
import { runTopology } from '../../../src/runtime/index.js';
import { json, localRegistry, ndjson } from '../../../src/schema/index.js';
import { topology } from '../../../src/topology/index.js';
import { noInference } from '../../memory.js';
import { openWorld, type World } from '../../profiles/embedded/world.js';
import { generator } from '../../random.js';
import { newFolder } from './folder.js';

interface Order {
  readonly n: number;
  readonly at: number;
}

const profileOf = ({ embedded }: World): Profile => {
  const files = openFiles({ schemas: localRegistry() });
  return {
    name: 'files',
    sources: { kafka: embedded.source, file: files.source },
    sinks: { kafka: embedded.topicSink, file: files.sink },
    openLedger: (task) => embedded.openLedger(task),
    schemas: embedded.schemas,
    close: async () => undefined,
  };
};

const orders = (input: string, output: string) =>
  topology('orders', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    t.source(
      'orders',
      file.source({ path: `${input}/*.ndjson`, schema: ndjson<Order>(), eventTime: ({ at }) => at, partitions: 2 }),
    )
      .via(
        'double',
        map((order) => ({ ...order, twice: order.n * 2 })),
      )
      .to(
        'out',
        file.sink({
          folder: output,
          schema: ndjson<Order & { twice: number }>(),
          compression: 'gzip',
          roll: { rows: 700 },
        }),
      );
  });

const rowsIn = async (folder: string): Promise<{ n: number; twice: number }[]> => {
  const { gunzipSync } = await import('node:zlib');
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      gunzipSync(readFileSync(join(folder, name)))
        .toString()
        .trim()
        .split('\n'),
    )
    .map((line) => JSON.parse(line));
};

describe('a topology from files to files', () => {
  it('loses and doubles nothing while its tasks fail at every point of the epoch, and goes on with new files', async () => {
    const [input, output, world] = [newFolder(), newFolder(), await openWorld()];
    const random = generator(5);
    let written = 0;
    const newFile = (rows: number) => {
      const lines = Array.from({ length: rows }, () => JSON.stringify({ n: written, at: 1_000 * written++ }));
      writeFileSync(join(input, `${String(written).padStart(9, '0')}.ndjson`), `${lines.join('\n')}\nnot json\n`);
    };
    const failures = new Map<string, number>();
    try {
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 3; i++) newFile(1_000 + Math.floor(random() * 500));
        const running = await runTopology(orders(input, output), {
          profile: profileOf(world),
          inference: noInference,
          bounded: true,
          epochInterval: millis(5),
          roundMax: 100,
          random: () => 0,
          onPoint(point) {
            const rare = point === 'pushed' ? 0.01 : 0.05;
            // Once in any case: how many epochs there are goes by the clock.
            const failed = failures.get(point) ?? 0;
            if (failed > 5 || (failed > 0 && random() > rare)) return;
            failures.set(point, failed + 1);
            throw new MillraceError('source', `pulled the plug at ${point}`);
          },
        });
        await running.finished;
        const rows = await rowsIn(output);
        expect(rows.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, n) => n));
        expect(rows.every(({ n, twice }) => twice === 2 * n)).toBe(true);
        expect(readdirSync(join(output, '.millrace')).length).toBeLessThanOrEqual(40);
      }
      expect([...world.embedded.scan('dead', 0), ...world.embedded.scan('dead', 1)]).toHaveLength(9);
      expect([...failures.keys()].length).toBeGreaterThanOrEqual(4);
    } finally {
      await world.close();
    }
  }, 60_000);

  it('has the JSON of rows of Parquet in dead letters, whatever steps have done to their values', async () => {
    const [input, world] = [newFolder(), await openWorld()];
    const data = Array.from({ length: 20 }, (_, n) => n);
    const columnData = [
      { name: 'n', type: 'INT32' as const, data },
      { name: 'at', type: 'TIMESTAMP' as const, data: data.map((n) => new Date(1_000 * n)) },
      { name: 'text', type: 'STRING' as const, data: data.map((n) => 'x'.repeat(n)) },
    ];
    writeFileSync(join(input, 'a.parquet'), new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 7 })));
    interface Row {
      n: number;
      readonly at: string;
      readonly text: string;
    }
    const refuse = transform<Row, Row>({
      kind: 'refuse',
      open: (context) => (row, emit) => {
        if (row.n % 5 === 0) context.deadLetter('five', '');
        else emit(row);
      },
    });
    const flow = topology('rows', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
      const schema = json<Row>({ bytesMax: 60 });
      t.source('rows', file.source({ path: `${input}/*`, schema, eventTime: ({ at }) => Date.parse(at) }))
        .via(
          'spoil',
          map((row) => {
            row.n += 100;
            return row;
          }),
        )
        .via('few', refuse)
        .to('out', kafka.sink({ topic: 'out', schema: ndjson<Row>() }));
    });
    try {
      const running = await runTopology(flow, {
        profile: profileOf(world),
        inference: noInference,
        bounded: true,
      });
      await running.finished;
      const jsonOf = (n: number) => JSON.stringify({ n, at: new Date(1_000 * n).toISOString(), text: 'x'.repeat(n) });
      const bytesIn = (topic: string) =>
        [...world.embedded.scan(topic, 0)].map(({ value }) =>
          Buffer.from(value ?? [])
            .toString()
            .trim(),
        );
      const refused = data.filter((n) => n % 5 === 0 || jsonOf(n).length > 60);
      expect(refused.some((n) => n % 5 !== 0)).toBe(true);
      expect(bytesIn('dead')).toEqual(refused.map(jsonOf));
      expect(bytesIn('out')).toHaveLength(20 - refused.length);
    } finally {
      await world.close();
    }
  });
});
