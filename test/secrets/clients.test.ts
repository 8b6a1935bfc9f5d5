import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openClickHouse } from '../../connectors/clickhouse/open.js';
import { http } from '../../connectors/http/index.js';
import { openHttp } from '../../connectors/http/open.js';
import { httpSink } from '../../connectors/http/sink.js';
import { httpSource } from '../../connectors/http/source.js';
import { clientCredentials } from '../../connectors/kafka/connection/token.js';
import { openKafka } from '../../connectors/kafka/open.js';
import { postgres } from '../../connectors/postgres/index.js';
import { openPostgres } from '../../connectors/postgres/open.js';
import { openRedis } from '../../connectors/redis/open.js';
import { s3 } from '../../connectors/s3/index.js';
import { openS3 } from '../../connectors/s3/open.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import { whatIsWrongWith } from '../../src/core/inference.js';
import { noRecord } from '../../src/core/record.js';
import { createInference } from '../../src/inference/index.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { confluentRegistry, json, localRegistry, ndjson } from '../../src/schema/index.js';
import { everythingOf, leaksIn, planted } from './planted.js';
import { hangingUp, type Refusing, refusingHttp, refusingPostgres, refusingRedis } from './refusing-servers.js';

// What each client throws where it is not let in, where the server hangs up, and where nobody answers: whoever logs such an
// error with everything that hangs on it must not log the secret.

type Attempt = (host: string) => Promise<unknown>;

const inUrl = encodeURIComponent;
const schemas = localRegistry();
const task = { topology: 't', partition: 0 };
const origin = noRecord('in');
const context = { step: 'out', task, incarnation: 0 } as never;

const attempts: Readonly<Record<string, { readonly server: keyof Servers; readonly attempt: Attempt }>> = {
  'redis, in the URL': {
    server: 'redis',
    attempt: (host) =>
      openRedis({
        url: `redis://user:${inUrl(planted.redisUrlPassword)}@${host}`,
        attemptsMax: 2,
      }).sink.ping?.() as Promise<void>,
  },
  'redis, as a password': {
    server: 'redis',
    attempt: (host) =>
      openRedis({ url: `redis://${host}`, user: 'user', password: planted.redisPassword, attemptsMax: 2 }).keys('a'),
  },
  postgres: {
    server: 'postgres',
    attempt: (host) => {
      const url = `postgres://user:${inUrl(planted.postgresPassword)}@${host}/db`;
      const table = postgres.tableSink({ table: 'orders', columns: { id: 'bigint' } });
      return openPostgres({ url, attemptsMax: 2 }).tableSink.setUp?.(
        table as never,
        { step: 'out' } as never,
      ) as Promise<void>;
    },
  },
  clickhouse: {
    server: 'http',
    attempt: async (host) =>
      (
        await openClickHouse({
          url: `http://user:${inUrl(planted.clickhousePassword)}@${host}/db`,
          attemptsMax: 2,
        } as never)
      ).query('SELECT 1'),
  },
  s3: {
    server: 'http',
    attempt: async (host) => {
      const url = `http://${planted.s3Key}:${inUrl(planted.s3Secret)}@${host}/?region=x`;
      const source = s3.source({ path: 'bucket/*.ndjson', schema: ndjson(), eventTime: () => 0 });
      const { source: driver } = openS3({ url, schemas, attemptsMax: 2 } as never);
      return (
        await driver.open(source as never, { task, partition: 0, offset: EARLIEST, bounded: true, step: 'in' })
      ).poll(1);
    },
  },
  'a registry, by basic authentication': {
    server: 'http',
    attempt: (host) =>
      confluentRegistry({
        url: `http://${host}`,
        auth: { username: 'user', password: planted.registryPassword },
      }).schemaOf(1),
  },
  'a registry, in the URL': {
    server: 'http',
    attempt: (host) =>
      confluentRegistry({ url: `http://user:${inUrl(planted.registryUrlPassword)}@${host}` }).schemaOf(1),
  },
  'a registry, by a token': {
    server: 'http',
    attempt: (host) => confluentRegistry({ url: `http://${host}`, auth: { token: planted.registryToken } }).schemaOf(1),
  },
  'tokens for kafka': {
    server: 'http',
    attempt: (host) =>
      clientCredentials({ url: `http://${host}/token`, clientId: 'client', clientSecret: planted.kafkaTokenSecret })(),
  },
  'kafka, by plain': {
    server: 'silent',
    attempt: (host) =>
      openKafka({
        brokers: [host],
        registry: schemas,
        apiTimeoutMs: 500,
        sasl: { mechanism: 'plain', username: 'user', password: planted.kafkaPassword },
      } as never),
  },
  'kafka, by a token': {
    server: 'silent',
    attempt: (host) =>
      openKafka({
        brokers: [host],
        registry: schemas,
        apiTimeoutMs: 500,
        sasl: { mechanism: 'oauthbearer', token: planted.kafkaToken },
      } as never),
  },
  'a webhook': {
    server: 'http',
    attempt: async (host) => {
      process.env.PAGER_SECRET = planted.webhookSecret;
      const headers = () => ({ authorization: `Bearer ${planted.headerToken}` });
      const sink = http.webhookSink({ url: `http://${host}/`, secretFrom: 'PAGER_SECRET', headers } as never);
      const writer = await httpSink({ attemptsMax: 2 } as never).open(sink as never, context);
      await writer.write([{ a: 1 }], [origin]);
      await writer.prepare?.();
    },
  },
  'a service that is polled': {
    server: 'http',
    attempt: async (host) => {
      const headers = () => ({ authorization: `Bearer ${planted.headerToken}` });
      const source = http.pollSource({
        url: `http://${host}/?key=${planted.headerToken}`,
        schema: json(),
        eventTime: () => 0,
        headers,
      });
      const driver = httpSource({
        schemas,
        topics: {} as never,
        producer: () => ({}) as never,
        attemptsMax: 2,
      } as never);
      return (
        await driver.open(source as never, { task, partition: 0, offset: EARLIEST, bounded: true, step: 'in' })
      ).poll(1);
    },
  },
  'an inference server': {
    server: 'http',
    attempt: async (host) => {
      process.env.INFERENCE_TOKEN = planted.inferenceToken;
      const url = `http://${host}/v2/models/risk`;
      const remote = { name: 'remote', url, tokenFrom: 'INFERENCE_TOKEN' } as const;
      const inference = createInference();
      try {
        return await inference.open({ model: 'risk', batchMax: 1, waitMax: 1, providers: [remote] });
      } finally {
        await inference.close();
      }
    },
  },
  'a service that is looked up': {
    server: 'http',
    attempt: async (host) => {
      const headers = () => ({ authorization: `Bearer ${planted.headerToken}` });
      const from = http.getLookup({ url: `http://${host}/{key}?token=${planted.headerToken}`, headers });
      const reader = await openHttp().lookup.open(from as never, context);
      return reader.get(['a'], AbortSignal.timeout(5_000));
    },
  },
};

interface Servers {
  readonly redis: Refusing;
  readonly postgres: Refusing;
  readonly http: Refusing;
  readonly silent: Refusing;
}
let servers: Servers;
beforeAll(async () => {
  const [redis, postgresql, forbidding, silent] = await Promise.all([
    refusingRedis(),
    refusingPostgres(),
    refusingHttp(401),
    hangingUp(),
  ]);
  servers = { redis, postgres: postgresql, http: forbidding, silent };
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
});

describe.each(Object.entries(attempts))('%s', (_, { server, attempt }) => {
  const outcomeOf = (host: string) => attempt(host).catch((error: unknown) => error);

  it('is not let in, and says nothing of its secret', async () => {
    const failure = await outcomeOf(servers[server].host);
    expect(failure).toBeInstanceOf(Error);
    expect(leaksIn(everythingOf(failure))).toEqual([]);
  });

  it.each([
    ['is hung up on', () => servers.silent.host],
    ['finds nobody there', () => '127.0.0.1:1'],
  ])('%s, and says nothing of its secret', async (_, host) => {
    expect(leaksIn(everythingOf(await outcomeOf(host())))).toEqual([]);
  });
});

describe('an address that is none', () => {
  const bad = (secret: string) => `://user:${secret}@ho st:x/`;
  it.each<[string, () => unknown]>([
    ['redis', () => openRedis({ url: `redis${bad(planted.redisUrlPassword)}` })],
    ['postgres', () => openPostgres({ url: `postgres${bad(planted.postgresPassword)}` })],
    ['clickhouse', () => openClickHouse({ url: `http${bad(planted.clickhousePassword)}` })],
    ['s3', () => openS3({ url: `http${bad(planted.s3Secret)}`, schemas })],
    ['a registry', () => confluentRegistry({ url: `http${bad(planted.registryUrlPassword)}` }).schemaOf(1)],
    ['a webhook', () => http.webhookSink({ url: `http${bad(planted.headerToken)}` })],
    ['a service', () => http.getLookup({ url: `http${bad(planted.headerToken)}` })],
    [
      'an inference server',
      () => {
        const url = `http://user:${planted.inferenceToken}@host/v2/models/risk`;
        throw new Error(whatIsWrongWith({ name: 'remote', url }));
      },
    ],
  ])('of %s is not said', async (_, open) => {
    const outcome = await Promise.resolve()
      .then(open)
      .catch((error: unknown) => error);
    expect(leaksIn(everythingOf(outcome instanceof Error ? outcome : ''))).toEqual([]);
  });

  it('in the settings is not said', () => {
    const env = {
      MILLRACE_REDIS: bad(planted.redisUrlPassword),
      MILLRACE_CLICKHOUSE: bad(planted.clickhousePassword),
      MILLRACE_POSTGRES: bad(planted.postgresPassword),
      MILLRACE_S3: bad(planted.s3Secret),
      MILLRACE_REGISTRY: bad(planted.registryUrlPassword),
    };
    const failure = (() => {
      try {
        return resolveConfig({ env, flags: { kafkaPassword: planted.kafkaPassword } });
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toMatchObject({ code: 'config' });
    expect(leaksIn(everythingOf(failure))).toEqual([]);
  });
});
