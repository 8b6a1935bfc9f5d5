import { s3 } from '../../../connectors/s3/index.js';
import { openS3 } from '../../../connectors/s3/open.js';
import type { Sink, Source } from '../../../src/core/index.js';
import { localRegistry, ndjson } from '../../../src/schema/index.js';
import type { SinkFaultWorld } from '../../../src/testing/fault-contract.js';
import type { SourceFaultWorld } from '../../../src/testing/source-fault-contract.js';
import { memoryLedgers } from '../../connectors/clickhouse/memory-ledgers.js';
import { BUCKET, between, type Fault, plain, shownOf, urlOf } from '../s3/store.js';
import { fresh, OwnService, proxyTo, shared } from './shared.js';

const server = shared(() => OwnService.start('s3'));
const few = { attemptsMax: 5, timeoutMs: 700, schemas: localRegistry() };

async function objects(): Promise<SinkFaultWorld> {
  const own = await server();
  const { url } = own;
  const folder = fresh();
  let refusal: Fault;
  const refusing = await between(() => refusal, url);
  const proxy = await proxyTo(Number(new URL(refusing.url).port));
  const answering = (what: Fault) => async () => {
    refusal = what;
    return async () => {
      refusal = undefined;
    };
  };
  return {
    driver: openS3({ url: urlOf({ port: proxy.port }, url), ...few }).sink,
    sink: s3.sink<{ n: number }>({
      folder: `${BUCKET}/${folder}`,
      schema: ndjson<{ n: number }>(),
      roll: { rows: 30 },
    }) as Sink<never> as Sink<unknown>,
    openLedger: memoryLedgers(),
    value: (n) => ({ n }),
    keyOf: () => 'the order of rows',
    secret: url.password,
    proxy,
    restart: () => own.restart(),
    refusedForNow: answering('busy'),
    refusedForGood: answering('denied'),
    async visible() {
      const texts = await Promise.all(
        (await shownOf(folder, url)).map(async (key) => (await plain(key, {}, url)).text()),
      );
      return texts.flatMap((text) => text.trim().split('\n')).map((line) => (JSON.parse(line) as { n: number }).n);
    },
    async close() {
      await proxy.close();
      await refusing.close();
    },
  };
}

/** A few objects with a few rows each. */
async function objectRows(): Promise<SourceFaultWorld> {
  const own = await server();
  const { url } = own;
  const folder = fresh();
  const proxy = await proxyTo(own.port);
  return {
    driver: openS3({ url: urlOf({ port: proxy.port }, url), ...few }).source,
    source: s3.source<number>({
      path: `${BUCKET}/${folder}/*`,
      schema: ndjson<number>(),
      eventTime: () => 0,
    }) as Source<unknown>,
    async append(numbers) {
      for (let from = 0; from < numbers.length; from += 50) {
        const rows = numbers.slice(from, from + 50).map((n) => JSON.stringify({ n, pad: 'x'.repeat(200) }));
        const body = `${rows.join('\n')}\n`;
        await plain(`${folder}/${String(from).padStart(5, '0')}.ndjson`, { method: 'PUT', body }, url);
      }
    },
    numberOf: ({ value }) => (JSON.parse(Buffer.from(value ?? []).toString()) as { n: number }).n,
    secret: url.password,
    proxy,
    restart: () => own.restart(),
    close: () => proxy.close(),
  };
}

export const sinks = { 's3.sink': objects };
export const sources = { 's3.source': objectRows };
