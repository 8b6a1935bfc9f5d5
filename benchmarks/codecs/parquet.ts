import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { type BasicType, parquetWriteBuffer } from 'hyparquet-writer';
import { file } from '../../connectors/file/index.js';
import { openFiles } from '../../connectors/file/open.js';
import type { FlightDeparted } from '../../schemas/flight-departed.v1.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { Source } from '../../src/core/source.js';
import { decodeRecord, json, localRegistry, openCodec } from '../../src/schema/index.js';
import { load } from '../sinks/load.js';
import { sinkSide } from '../sinks/side.js';
import type { Case, Ways } from './case.js';
import { flights } from './values.js';

/** As many as payloads of the other cases, and as many a row group as the sink makes of them. */
const ROWS = 200_000;
const GROUP_ROWS = 100_000;

/** Rows of files: a folder that `file.sink` writes and `file.source` reads, an epoch each. */
export const parquetCase: Case = {
  name: 'Parquet',
  raw: 'hyparquet and hyparquet-writer, in memory',
  async open() {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-codecs-'));
    return {
      raw: byHand(),
      codec: await byFiles(folder),
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
};

const rows: readonly FlightDeparted[] = Array.from(
  { length: ROWS },
  (_, n) => flights[n % flights.length] as FlightDeparted,
);

function byHand(): Ways {
  const column = (name: keyof FlightDeparted, type: BasicType, read: (row: FlightDeparted) => unknown) => ({
    name,
    type,
    data: rows.map(read),
    nullable: type === 'STRING' || type === 'DOUBLE',
  });
  const write = () =>
    parquetWriteBuffer({
      columnData: [
        column('flightId', 'INT64', ({ flightId }) => BigInt(flightId)),
        column('departedAt', 'TIMESTAMP', ({ departedAt }) => new Date(departedAt)),
        column('utcOffsetMinutes', 'INT64', ({ utcOffsetMinutes }) => BigInt(utcOffsetMinutes)),
        column('origin', 'STRING', ({ origin }) => origin),
        column('destination', 'STRING', ({ destination }) => destination),
        column('distance', 'DOUBLE', ({ distance }) => distance),
      ],
      rowGroupSize: GROUP_ROWS,
    });
  const written = write();
  return {
    encode: () => (write().byteLength > 0 ? ROWS : 0),
    decode: async () => (await parquetReadObjects({ file: written })).length,
  };
}

async function byFiles(folder: string): Promise<Ways> {
  const schemas = localRegistry();
  const files = openFiles({ schemas });
  const { origins } = load(ROWS);
  const codec = await openCodec(json<FlightDeparted>(), schemas);
  let written = 0;
  const write = async (): Promise<number> => {
    const sink = file.sink<FlightDeparted>({
      folder: join(folder, String(written++)),
      columns: {
        flightId: 'integer',
        departedAt: 'date',
        utcOffsetMinutes: 'integer',
        origin: 'text?',
        destination: 'text?',
        distance: 'number?',
      },
    });
    const side = await sinkSide(files.sink, sink, String(written));
    await side.write(rows, origins);
    side.finish?.();
    await side.settle();
    await side.close();
    return ROWS;
  };
  await write();
  const source = file.source<FlightDeparted>({
    path: join(folder, '0', '*.parquet'),
    schema: json<FlightDeparted>(),
    eventTime: (f) => f.departedAt,
  }) as Source<unknown>;
  return {
    encode: write,
    async decode() {
      const reader = await files.source.open(source, {
        task: { topology: 'codecs', partition: 0 },
        partition: 0,
        offset: EARLIEST,
        bounded: true,
        step: 'rows',
      });
      let count = 0;
      for (let ended = false; !ended; ) {
        const polled = await reader.poll(1_000);
        for (const record of polled.records) if (decodeRecord(codec, record)) count += 1;
        ended = polled.ended;
      }
      await reader.close();
      return count;
    },
  };
}
