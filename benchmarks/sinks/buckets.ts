import { AwsClient } from 'aws4fetch';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { RowFormat } from '../../connectors/file/row-format.js';
import { s3 } from '../../connectors/s3/index.js';
import { openS3 } from '../../connectors/s3/open.js';
import type { Prediction } from '../../schemas/prediction.v1.js';
import { localRegistry, ndjson } from '../../src/schema/index.js';
import type { Contest } from './contest.js';
import { columns, GROUP_ROWS, parquetData } from './files.js';
import { type Side, sinkSide } from './side.js';

/** Of a piece that is put before its epoch ends. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Lines in pieces as large as the sink's, one under way while the next fills. */
function inPieces(put: (lines: Buffer<ArrayBuffer>) => Promise<unknown>): Side {
  let text = '';
  let underWay: Promise<unknown> = Promise.resolve();
  const seal = () => {
    const lines = Buffer.from(text);
    text = '';
    underWay = underWay.then(() => put(lines));
    underWay.catch(() => undefined); // whoever awaits it is told
  };
  return {
    async write(values) {
      for (const value of values) text += `${JSON.stringify(value)}\n`;
      if (text.length < PIECE_BYTES) return;
      const before = underWay;
      seal();
      await before;
    },
    async settle() {
      if (text !== '') seal();
      await underWay;
    },
    close: async () => undefined,
  };
}

type Ask = (path: string, init: RequestInit) => Promise<Response>;

/** An object of each piece. */
function manyObjects(ask: Ask, folder: string): Side {
  let objects = 0;
  return inPieces((body) => ask(`${folder}/${objects++}.ndjson`, { method: 'PUT', body }));
}

/** One object, each piece a part of its upload; what an epoch leaves of a piece is not safe yet. */
function oneObject(ask: Ask, folder: string): Side {
  const path = `${folder}/whole.ndjson`;
  const tags: string[] = [];
  let query: Promise<string> | undefined;
  let isLast = false;
  const begin = async () => {
    const text = await (await ask(`${path}?uploads=`, { method: 'POST' })).text();
    return `uploadId=${/<UploadId>([^<]*)</.exec(text)?.[1]}`;
  };
  const pieces = inPieces(async (body) => {
    query ??= begin();
    const { headers } = await ask(`${path}?partNumber=${tags.length + 1}&${await query}`, { method: 'PUT', body });
    tags.push(headers.get('etag') ?? '');
  });
  return {
    ...pieces,
    async settle() {
      if (!isLast) return;
      await pieces.settle();
      const parts = tags.map((tag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${tag}</ETag></Part>`).join('');
      const body = `<CompleteMultipartUpload>${parts}</CompleteMultipartUpload>`;
      await (await ask(`${path}?${await query}`, { method: 'POST', body })).text();
    },
    finish() {
      isLast = true;
    },
  };
}

/** Rows in memory until the end, then all of them into one object. */
function parquetObject(ask: Ask, folder: string): Side {
  const rows: Prediction[] = [];
  let isLast = false;
  return {
    write(values) {
      for (const value of values) rows.push(value);
    },
    async settle() {
      if (!isLast) return;
      const body = parquetWriteBuffer({ columnData: parquetData(rows), rowGroupSize: GROUP_ROWS });
      await ask(`${folder}/whole.parquet`, { method: 'PUT', body });
    },
    finish() {
      isLast = true;
    },
    close: async () => undefined,
  };
}

function contest(
  name: string,
  byHand: string,
  options: RowFormat<Prediction>,
  sideOf: (ask: Ask, folder: string) => Side,
): Contest {
  return {
    name,
    byHand: `aws4fetch: ${byHand}`,
    needs: ['s3'],
    records: 200_000,
    async open({ s3: url, bucket }) {
      const opened = openS3({ url, schemas: localRegistry() });
      const { origin, username, password } = new URL(url);
      const client = new AwsClient({
        accessKeyId: username,
        secretAccessKey: password,
        service: 's3',
        region: 'eu-central-1',
      });
      const ask: Ask = async (path, init) => {
        const answer = await client.fetch(`${origin}/${bucket}/${path}`, init);
        if (!answer.ok) throw new Error('the store did not take it');
        return answer;
      };
      const place = name.replace(/\W+/g, '-');
      const sinkIn = (folder: string) => s3.sink<Prediction>({ ...options, folder });
      return {
        sink: (run) => sinkSide(opened.sink, sinkIn(`${bucket}/${place}/${run}`), run),
        byHand: async (run) => sideOf(ask, `by-hand-${place}/${run}`),
        close: async () => undefined,
      };
    },
  };
}

const schema = ndjson<Prediction>();

export const contests: readonly Contest[] = [
  contest('s3.sink', 'an object of lines for each 8 MiB and epoch, one PUT each', { schema }, manyObjects),
  contest('s3.sink, one object', 'a multipart upload of 8 MiB of lines each; a crash loses it', { schema }, oneObject),
  contest(
    's3.sink, Parquet',
    'one PUT of hyparquet-writer, rows in memory; a crash loses them',
    { columns },
    parquetObject,
  ),
];
