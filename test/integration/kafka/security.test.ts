import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect, promisify } from 'node:util';
import { metadataV12 } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAddress } from '../../../connectors/kafka/connection/address.js';
import {
  BrokerConnection,
  type BrokerConnectionOptions,
} from '../../../connectors/kafka/connection/broker-connection.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import type { KafkaSasl, KafkaTls } from '../../../connectors/kafka/connection/security.js';
import { Throttle } from '../../../connectors/kafka/connection/throttle.js';
import { clientCredentials } from '../../../connectors/kafka/connection/token.js';
import { type KafkaOptions, openKafka } from '../../../connectors/kafka/open.js';
import { localRegistry } from '../../../src/schema/index.js';
import { startMillrace, userFolder } from '../../cli/millrace.js';
import { address } from '../address.js';
import type { OwnBroker } from './own-broker.js';
import { secrets, securedBroker, unsignedToken } from './secured-broker.js';
import { fresh, librdkafka, readAll } from './world.js';

let broker: OwnBroker;
beforeAll(async () => {
  broker = await securedBroker();
});
afterAll(() => broker.stop());

const path = (name: string) => join(broker.folder, name);
const file = (name: string) => () => readFileSync(path(name), 'utf8');
const tls: KafkaTls = { ca: file('ca.pem') };
const client: KafkaTls = {
  ...tls,
  certificate: file('client.crt'),
  key: file('client.key'),
  passphrase: 'client-key-pass',
};
const as = (
  mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512',
  password: string = secrets.password,
): KafkaSasl => ({
  mechanism,
  username: 'alice',
  password,
});
const token = (text: () => string): KafkaSasl => ({ mechanism: 'oauthbearer', token: text });

const open = (listener: string, options: Partial<KafkaOptions>, host?: string) =>
  openKafka({ brokers: [broker.address(listener, host)], registry: localRegistry(), apiTimeoutMs: 5_000, ...options });

type Way = readonly [listener: string, options: Partial<KafkaOptions>, host?: string];

describe('a secured broker', () => {
  const ways: readonly Way[] = [
    ['PLAINTEXT', {}],
    ['MTLS', { tls: client }],
    ['MTLS', { tls: client }, 'localhost'],
    ['MTLS', { tls: { ...client, serverName: 'localhost' } }],
    ...(['LOGIN', 'SECURE'] as const).flatMap((listener) =>
      [
        as('plain'),
        as('scram-sha-256'),
        as('scram-sha-512'),
        token(() => unsignedToken(60)),
        { ...as('plain'), password: async () => secrets.password } as KafkaSasl,
      ].map((sasl): Way => [listener, listener === 'SECURE' ? { tls, sasl } : { sasl }]),
    ),
  ];

  it.each(ways)('is written and read at %s', async (...way) => {
    const [listener, options, host] = way as unknown as Way;
    const topic = fresh('way');
    const kafka = await open(listener, options, host);
    const producer = kafka.producer();
    await producer.createTopic(topic, 1);
    await producer.send(topic, [{ key: null, value: Buffer.from('hello'), timestampMs: 1 }]);
    await producer.close();
    expect((await readAll(kafka, topic)).map(({ value }) => String(value))).toEqual(['hello']);
    await kafka.close();
  });

  it('is logged in to with a warning where the password would be seen on the way', async () => {
    const warned = async (listener: string, options: Partial<KafkaOptions>) => {
      const warnings: string[] = [];
      await (await open(listener, { ...options, onWarning: (message) => warnings.push(message) })).close();
      return warnings;
    };
    expect(await warned('LOGIN', { sasl: as('plain') })).toEqual([expect.stringContaining('in the clear')]);
    expect(await warned('LOGIN', { sasl: as('scram-sha-512') })).toEqual([]);
    expect(await warned('SECURE', { tls, sasl: as('plain') })).toEqual([]);
  });

  const refusals: readonly (readonly [what: string, string, Partial<KafkaOptions>, message: RegExp, hint: RegExp])[] = [
    ['a missing certificate', 'MTLS', { tls }, /refuses this client's certificate/, /kafkaCert/],
    ['a wrong passphrase', 'MTLS', { tls: { ...client, passphrase: secrets.wrong } }, /cannot be used/, /PASSPHRASE/],
    [
      'a wrong authority',
      'MTLS',
      { tls: { ...client, ca: file('other-ca.pem') } },
      /nobody that is trusted/,
      /kafkaCa/,
    ],
    ['no authority', 'SECURE', { tls: {}, sasl: as('plain') }, /nobody that is trusted/, /kafkaCa/],
    ['another name', 'MTLS', { tls: { ...client, serverName: 'k.example' } }, /another name/, /kafkaServerName/],
    ['no TLS at a TLS port', 'MTLS', {}, /uses TLS/, /kafkaTls to yes/],
    ['a login without TLS at a TLS port', 'SECURE', { sasl: as('plain') }, /uses TLS/, /kafkaTls to yes/],
    ['TLS at a plain port', 'PLAINTEXT', { tls }, /no Kafka broker answers/, /port of a TLS listener\?/],
    ['TLS at a port of logins', 'LOGIN', { tls, sasl: as('plain') }, /no Kafka broker/, /port of a TLS listener\?/],
    ['a login where there is none', 'PLAINTEXT', { sasl: as('plain') }, /needs no login/, /kafkaSasl to none/],
    ['no login', 'LOGIN', {}, /no Kafka broker answers/, /a login \(kafkaSasl\) or TLS/],
    ['no login over TLS', 'SECURE', { tls }, /no Kafka broker answers/, /want a login \(kafkaSasl\)\?/],
    [
      'a wrong password, PLAIN',
      'LOGIN',
      { sasl: as('plain', secrets.wrong) },
      /refuses the login by PLAIN with user 'alice'/,
      /password/,
    ],
    [
      'a wrong password, SCRAM',
      'SECURE',
      { tls, sasl: as('scram-sha-512', secrets.wrong) },
      /refuses the login by SCRAM-SHA-512/,
      /password/,
    ],
    [
      'nonsense for a token',
      'LOGIN',
      { sasl: token(() => secrets.wrong) },
      /refuses the login by OAUTHBEARER/,
      /token/,
    ],
    [
      'an old token',
      'SECURE',
      { tls, sasl: token(() => unsignedToken(-5, secrets.wrong)) },
      /refuses the login by OAUTHBEARER/,
      /still valid/,
    ],
  ];

  it.each(refusals)(
    'says at once what is wrong with %s, and no secret',
    async (_what, listener, options, message, hint) => {
      const began = performance.now();
      const error = await open(listener, options).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: 'config',
        message: expect.stringMatching(message),
        hint: expect.stringMatching(hint),
      });
      expect(performance.now() - began).toBeLessThan(3_000);
      const whole = inspect(error, { depth: 20, showHidden: true });
      for (const secret of [secrets.password, secrets.wrong, 'client-key-pass', 'PRIVATE KEY']) {
        expect(whole.includes(secret)).toBe(false);
      }
    },
  );
});

describe('logins that hold for two seconds', () => {
  const options = (): BrokerConnectionOptions => ({
    clientId: 'test',
    security: { tls, sasl: as('scram-sha-256') },
    throttle: new Throttle(() => undefined),
  });
  const target = () => parseAddress(broker.address('SECURE')) as NonNullable<ReturnType<typeof parseAddress>>;
  const ask = [metadataV12.api, [] as string[], false, false] as const;

  it('are ended by the broker where nobody logs in again', async () => {
    const connection = await BrokerConnection.open(target(), options());
    const use = async () => {
      for (const giveUpMs = Date.now() + 6_000; Date.now() < giveUpMs; await sleep(50)) await connection.send(...ask);
    };
    await expect(use()).rejects.toThrow('Connection closed');
    await connection.close();
  });

  it('are made anew in between requests: none of many is lost, none overtakes another', async () => {
    let connects = 0;
    const count = () => {
      connects += 1;
    };
    subscribe('tracing:plt:kafka:connections:connects:start', count);
    const connections = new ConnectionPool(options());
    try {
      let asked = 0;
      const answered: number[] = [];
      const lane = async (everyMs: number) => {
        for (const giveUpMs = Date.now() + 6_500; Date.now() < giveUpMs; await sleep(everyMs)) {
          asked += 1;
          await connections.request(target(), ...ask);
        }
      };
      // As the producer does: a connection first, then requests on it at once, several under way.
      const pipelined = async () => {
        const underWay: Promise<unknown>[] = [];
        let n = 0;
        for (const giveUpMs = Date.now() + 6_500; Date.now() < giveUpMs; await sleep(3)) {
          const connection = await connections.to(target());
          const mine = n++;
          underWay.push(connection.send(...ask).then(() => answered.push(mine)));
        }
        await Promise.all(underWay);
      };
      await Promise.all([lane(0), lane(20), lane(700), pipelined()]);
      expect(asked).toBeGreaterThan(200);
      expect(answered).toEqual(answered.map((_, index) => index));
      expect(connects).toBeGreaterThanOrEqual(4);
      expect(connects).toBeLessThan(12);
    } finally {
      unsubscribe('tracing:plt:kafka:connections:connects:start', count);
      await connections.close();
    }
  });
});

describe('tokens of an endpoint', () => {
  let asked: string[] = [];
  let answer: () => { status: number; body: unknown } = () => ({ status: 200, body: {} });
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      asked.push(`${request.headers.authorization} ${body}`);
      const { status, body: json } = answer();
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => server.close());
  const credentials = () =>
    clientCredentials({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?tenant=${secrets.wrong}`,
      clientId: 'id:1',
      clientSecret: secrets.password,
      scope: 'kafka write',
    });

  it('are asked for by client credentials, kept for most of their life, and open the broker', async () => {
    asked = [];
    answer = () => ({ status: 200, body: { access_token: unsignedToken(4), token_type: 'Bearer', expires_in: 4 } });
    const provider = credentials();
    const kafka = await open('SECURE', { tls, sasl: { mechanism: 'oauthbearer', token: provider } });
    const topic = fresh('tokens');
    await kafka.createTopic(topic, 1);
    const producer = kafka.producer();
    let sent = 0;
    for (const giveUpMs = Date.now() + 8_000; Date.now() < giveUpMs; await sleep(100)) {
      await producer.send(topic, [{ key: null, value: Buffer.from(`${sent++}`), timestampMs: 1 }]);
    }
    await producer.close();
    expect((await readAll(kafka, topic)).map(({ value }) => Number(String(value)))).toEqual(
      Array.from({ length: sent }, (_, n) => n),
    );
    await kafka.close();
    expect(asked.length).toBeGreaterThanOrEqual(3);
    expect(asked.length).toBeLessThanOrEqual(6);
    const basic = Buffer.from(`id%3A1:${encodeURIComponent(secrets.password)}`).toString('base64');
    expect(asked[0]).toBe(`Basic ${basic} grant_type=client_credentials&scope=kafka+write`);
  });

  it('that are refused end the attempt, with what the endpoint says', async () => {
    answer = () => ({ status: 401, body: { error: 'invalid_client', error_description: secrets.password } });
    const error = await open('LOGIN', { sasl: { mechanism: 'oauthbearer', token: credentials() } }).catch((e) => e);
    expect(error).toMatchObject({
      code: 'config',
      message: 'the token endpoint refuses the client (status 401: invalid_client)',
      where: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/token$/),
      hint: expect.stringContaining('secret'),
    });
    expect(inspect(error, { depth: 20 })).not.toMatch(new RegExp(`${secrets.password}|${secrets.wrong}`));
  });

  it('that do not come at all are not blamed on the broker', async () => {
    answer = () => ({ status: 503, body: {} });
    const refused = clientCredentials({
      url: 'http://127.0.0.1:1/token',
      clientId: 'x',
      clientSecret: secrets.password,
    });
    for (const provider of [credentials(), refused]) {
      const error = await open('LOGIN', { sasl: { mechanism: 'oauthbearer', token: provider } }).catch((e) => e);
      expect(error).toMatchObject({ code: 'config', hint: 'is kafkaTokenUrl right, and does the endpoint answer?' });
      expect(error.message).toMatch(/\/token gives no token/);
    }
  });

  it('that do not come for a while are waited for, as a broker is', async () => {
    answer = () => ({ status: 200, body: { access_token: unsignedToken(60), expires_in: 1 } });
    const kafka = await open('LOGIN', { sasl: { mechanism: 'oauthbearer', token: credentials() } });
    let failures = 0;
    answer = () =>
      failures++ < 3
        ? { status: 503, body: {} }
        : { status: 200, body: { access_token: unsignedToken(60), expires_in: 60 } };
    await sleep(1_000); // the first token's life is over: the producer's own connection needs another
    const topic = fresh('endpoint');
    await kafka.createTopic(topic, 1);
    expect(failures).toBe(4);
    await kafka.close();
  });
});

/** By librdkafka, with settings of its own. */
const COUNT_COMMITTED = `
consumer = Consumer({**json.loads(args[1]), 'group.id': 'unused', 'isolation.level': 'read_committed',
    'enable.partition.eof': True, 'enable.auto.commit': False})
partitions = list(consumer.list_topics(args[0], 10).topics[args[0]].partitions)
consumer.assign([TopicPartition(args[0], partition, OFFSET_BEGINNING) for partition in partitions])
left, found = set(partitions), 0
while left:
    message = consumer.poll(10)
    if message is None: raise Exception('nothing came for ten seconds')
    if message.error(): left.discard(message.partition())
    else: found += 1
consumer.close()
print(found)`;

describe('millrace run against SASL over TLS', () => {
  const name = fresh('secured');
  const topology = `
import { map, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
const json = (subject) => ({ format: 'json', subject, definition: undefined });
export default topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: '${name}.in', schema: json('${name}.in-value') }))
    .via('twice', map(({ n }) => ({ n, twice: 2 * n })))
    .to('out', kafka.sink({ topic: '${name}.out', schema: json('${name}.out-value') }));
});
`;
  const kcat = (args: readonly string[], input = '') => {
    const login = ['sasl.mechanism=PLAIN', 'sasl.username=alice', `sasl.password=${secrets.password}`];
    const settings = ['security.protocol=SASL_SSL', `ssl.ca.location=${path('ca.pem')}`, ...login];
    const all = ['-q', '-b', broker.address('SECURE'), ...settings.flatMap((each) => ['-X', each]), ...args];
    const ran = promisify(execFile)('kcat', all, { maxBuffer: 1 << 28 });
    ran.child.stdin?.end(input);
    return ran;
  };

  it('passes everything on once, over killed processes and logins that end; clients of others read it', async () => {
    const user = userFolder({ 'secured.ts': topology, password: `${secrets.password}\n` });
    const kafka = await open('PLAINTEXT', {});
    await kafka.createTopic(`${name}.in`, 2);
    const env = {
      MILLRACE_KAFKA: broker.address('SECURE'),
      MILLRACE_KAFKA_TLS: 'yes',
      MILLRACE_KAFKA_CA: path('ca.pem'),
      MILLRACE_KAFKA_SASL: 'scram-sha-256',
      MILLRACE_KAFKA_USER: 'alice',
      MILLRACE_KAFKA_PASSWORD_FILE: 'password',
      MILLRACE_REDIS: address('MILLRACE_REDIS'),
      MILLRACE_CLICKHOUSE: address('MILLRACE_CLICKHOUSE'),
      MILLRACE_REGISTRY: address('MILLRACE_REGISTRY'),
    };
    const run = (...args: string[]) =>
      startMillrace(['run', 'secured.ts', '--profile', 'cluster', '--verbose', ...args], { folder: user.folder, env });
    let sent = 0;
    const send = async (records: number) => {
      const lines = Array.from({ length: records }, (_, i) => `${JSON.stringify({ n: sent + i })}\n`).join('');
      sent += records;
      await kcat(['-P', '-t', `${name}.in`, '-X', 'topic.partitioner=random'], lines);
    };
    const logs: string[] = [];
    await send(5_000);
    for (let round = 0; round < 2; round++) {
      const process = run();
      for (let i = 0; i < 8; i++) {
        await sleep(500);
        await send(1_000);
      }
      process.process.kill('SIGKILL');
      logs.push(process.output());
      await process.ended;
    }
    await sleep(11_000); // until the group has missed the killed one: a run to the end ends with its own tasks
    const { code, out, err } = await run('--until-end').ended;
    expect([code, err]).toEqual([0, expect.not.stringContaining('rror')]);
    const reading = ['-C', '-t', `${name}.out`, '-e', '-o', 'beginning', '-X', 'isolation.level=read_committed'];
    const readAgain = async () =>
      (await kcat([...reading, '-f', '%s\\n'])).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { n: number; twice: number });
    let read = await readAgain();
    // A commit is decided before its markers are in the partitions; until then readers see what was there before.
    for (const giveUpMs = Date.now() + 20_000; read.length < sent && Date.now() < giveUpMs; read = await readAgain()) {
      await sleep(200);
    }
    expect(read.map(({ n }) => n).sort((a, b) => a - b)).toEqual(Array.from({ length: sent }, (_, n) => n));
    expect(read.every(({ n, twice }) => twice === 2 * n)).toBe(true);
    const login = { 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.username': 'alice', 'sasl.password': secrets.password };
    const tlsTo = { 'bootstrap.servers': broker.address('SECURE'), 'ssl.ca.location': path('ca.pem') };
    const settings = JSON.stringify({ ...tlsTo, ...login, 'security.protocol': 'SASL_SSL' });
    expect(await librdkafka(COUNT_COMMITTED, `${name}.out`, settings)).toBe(sent);
    expect(`${logs.join('')}${out}${err}`.includes(secrets.password)).toBe(false);

    const wrong = startMillrace(['run', 'secured.ts', '--profile', 'cluster', '--verbose'], {
      folder: user.folder,
      env: { ...env, MILLRACE_KAFKA_PASSWORD_FILE: '', MILLRACE_KAFKA_PASSWORD: secrets.wrong },
    });
    const refused = await wrong.ended;
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/refuses the login by SCRAM-SHA-256 with user 'alice'/);
    expect(`${refused.out}${refused.err}`.includes(secrets.wrong)).toBe(false);
    await kafka.close();
    user.remove();
  });
});
