import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';
import { startMillrace, userFolder } from '../cli/millrace.js';
import { lastingPorts } from '../ports.js';
import { leaksIn, planted } from './planted.js';
import {
  answeringHttp,
  hangingUp,
  type Refusing,
  refusingHttp,
  refusingPostgres,
  refusingRedis,
} from './refusing-servers.js';

// Commands as a user runs them, with secrets in everything that takes one, and services that are down or let nobody in: none of
// what is printed, served or written has a secret in it.

const inUrl = encodeURIComponent;

/** One of the sinks that others serve, or none of them. */
const variants = ['none', 'pager', 'table', 'archive', 'sets'] as const;
type Variant = (typeof variants)[number];

const textOf = (variant: Variant) => `
import { json, maskPii, millis, ndjson, peek, topology } from 'millrace';
import { http } from 'millrace/connectors/http';
import { kafka } from 'millrace/connectors/kafka';
import { postgres } from 'millrace/connectors/postgres';
import { redis } from 'millrace/connectors/redis';
import { s3 } from 'millrace/connectors/s3';

interface Click { readonly user: string; readonly note: string; readonly at: number }
const headers = () => ({ authorization: \`Bearer \${process.env.HEADER_TOKEN}\` });
const { SERVICE: service = '', PAGER: pager = '' } = process.env;

const variant: string = '${variant}';
export const everything = topology('everything', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  const clicks = t
    .source('clicks', http.ingestSource({ topic: 'clicks', schema: json<Click>(), port: Number(process.env.INGEST_PORT ?? 0), tokenFrom: 'INGEST_TOKEN' }))
    .via('mask', maskPii({ fields: ['note'], find: { email: 'token' }, key: process.env.PII_KEY as string }))
    .via('crash', peek(({ user }) => {
      if (user === 'step') throw new Error('a step fails');
      if (user === 'crash') setTimeout(() => { throw new Error('nobody catches this'); });
    }));
  clicks.to('kept', kafka.sink({ topic: 'kept', schema: json<Click>() }));
  if (variant === 'pager') clicks.to('pager', http.webhookSink({ url: pager, secretFrom: 'PAGER_SECRET', headers }));
  if (variant === 'table') clicks.to('table', postgres.tableSink({ table: 'clicks', columns: { user: 'text', note: 'text' } }));
  if (variant === 'archive') clicks.to('archive', s3.sink({ folder: 'lake/clicks', schema: ndjson<Click>() }));
  if (variant === 'sets') clicks.to('cache', redis.stringSink({ key: ({ user }: Click) => user, value: ({ note }: Click) => note }));
  t.source('polled', http.pollSource({ url: \`\${service}?key=\${process.env.HEADER_TOKEN}\`, schema: json<Click>(), eventTime: ({ at }) => at, headers, idleTimeout: millis(100) }))
    .to('polled-too', kafka.sink({ topic: 'polled', schema: json<Click>() }));
});
`;

const secrets = {
  INGEST_TOKEN: planted.ingestToken,
  HEADER_TOKEN: planted.headerToken,
  PAGER_SECRET: planted.webhookSecret,
  PII_KEY: planted.piiKey,
  MILLRACE_KAFKA_PASSWORD: planted.kafkaPassword,
  MILLRACE_KAFKA_KEY_PASSPHRASE: planted.kafkaKeyPassphrase,
};

let user: ReturnType<typeof userFolder>;
let servers: Readonly<Record<'http' | 'redis' | 'postgres' | 'silent' | 'good', Refusing>>;
let env: Record<string, string>;
beforeAll(async () => {
  user = userFolder(Object.fromEntries(variants.map((variant) => [`${variant}.ts`, textOf(variant)])));
  const [http, redis, postgres, silent, good] = await Promise.all([
    refusingHttp(401),
    refusingRedis(),
    refusingPostgres(),
    hangingUp(),
    answeringHttp(),
  ]);
  servers = { http, redis, postgres, silent, good };
  env = {
    ...secrets,
    SERVICE: `http://${good.host}/`,
    PAGER: `http://${http.host}/`,
    MILLRACE_KAFKA: silent.host,
    MILLRACE_KAFKA_SASL: 'plain',
    MILLRACE_KAFKA_USER: 'user',
    MILLRACE_REGISTRY: `http://user:${inUrl(planted.registryUrlPassword)}@${http.host}`,
    MILLRACE_REDIS: `redis://user:${inUrl(planted.redisUrlPassword)}@${redis.host}`,
    MILLRACE_CLICKHOUSE: `http://user:${inUrl(planted.clickhousePassword)}@${http.host}`,
    MILLRACE_POSTGRES: `postgres://user:${inUrl(planted.postgresPassword)}@${postgres.host}/db`,
    MILLRACE_S3: `http://${planted.s3Key}:${inUrl(planted.s3Secret)}@${http.host}/?region=x`,
  };
});
afterAll(async () => {
  for (const server of Object.values(servers)) await server.close();
  user.remove();
});

/** Every file that lies in the folder of the user, the store of the embedded profile too. */
function written(folder = user.folder): string {
  return readdirSync(folder)
    .filter((name) => name !== 'node_modules' && !name.endsWith('.sock'))
    .map((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory() ? written(path) : readFileSync(path, 'latin1');
    })
    .join('\n');
}

const commands: readonly (readonly [line: string, variant: Variant, env?: Readonly<Record<string, string>>])[] = [
  ['check FILE --json', 'none'],
  ['describe FILE --verbose', 'pager'],
  ['describe FILE --json', 'archive'],
  ['plan FILE --profile cluster --verbose', 'none'],
  ['run FILE --profile cluster --until-end --verbose', 'none'],
  ['run FILE --profile cluster --until-end --json', 'none'],
  ['run FILE --profile cluster --until-end --log-format json --log-level debug --verbose', 'none'],
  ['run FILE --until-end --log-format json --log-level debug', 'table'],
  ['run FILE --until-end --verbose', 'table'],
  ['run FILE --until-end --json', 'sets'],
  ['run FILE --until-end --verbose', 'archive'],
  ['verify FILE --profile cluster --verbose', 'none'],
  ['tail kept --profile cluster --verbose', 'none'],
  ['query SELECT --profile cluster --verbose', 'none'],
  ['offsets show FILE --profile cluster --verbose', 'none'],
  [`run FILE --kafka-password ${planted.kafkaToken}`, 'none'],
  ['run FILE --verbose', 'none', { MILLRACE_REDIS: `redis//${planted.redisUrlPassword}` }],
  [
    'run FILE --profile cluster --verbose',
    'none',
    { MILLRACE_KAFKA_TOKEN: planted.kafkaToken, MILLRACE_KAFKA_SASL: 'oauthbearer' },
  ],
  [
    'run FILE --profile cluster --verbose',
    'none',
    { MILLRACE_REGISTRY_TOKEN: planted.registryToken, MILLRACE_REGISTRY_USER: 'user' },
  ],
];

/** What a command prints, in this process; a run that would go on is interrupted once it has been refused. */
async function outputOf(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const before = { ...process.env };
  Object.assign(process.env, env, { MILLRACE_DATA: join(user.folder, 'data') }, more);
  const timer = setTimeout(() => process.emit('SIGTERM'), 5_000);
  let output = '';
  const print = (text: string) => {
    output += text;
  };
  try {
    await main([...args], { out: print, err: print });
    return output;
  } finally {
    clearTimeout(timer);
    process.env = before;
  }
}

/** Likewise of a run that waits for brokers which let nobody in: a process of its own, which a signal ends. */
async function outputOfWaiting(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = startMillrace(args, {
    folder: user.folder,
    env: { ...env, MILLRACE_DATA: join(user.folder, 'data'), ...more },
  });
  const hasEnded = started.ended.then(() => true);
  while (!started.output().includes('the start waits') && !(await Promise.race([hasEnded, sleep(50)])));
  started.process.kill('SIGTERM');
  await started.ended;
  return started.output();
}

describe('commands', () => {
  it.each(commands.map((each, at) => [`${at + 1}: ${each[0].split(' ')[0]}, ${each[1]}`, ...each] as const))(
    '%s',
    async (_, line, variant, more) => {
      const output = await (/^run .*cluster/.test(line) ? outputOfWaiting : outputOf)(
        line.replace('FILE', join(user.folder, `${variant}.ts`)).split(' '),
        more,
      );
      expect(output).not.toBe('');
      expect(leaksIn(output)).toEqual([]);
    },
  );
});

/** As soon as there is one; nothing where nobody ever answers. */
async function textOfAnswer(url: string, triesMax: number): Promise<string> {
  for (let tries = 0; tries < triesMax; tries++) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return answer.text();
    await sleep(100);
  }
  return '';
}

const paths = ['metrics', 'health', 'health/ready', 'nowhere'];

describe('a run that goes wrong half-way', () => {
  it.concurrent.each<[string, string, Variant]>([
    ['a step fails', 'step', 'none'],
    ['something fails that nobody catches', 'crash', 'none'],
    ['a sink lets nobody in', 'ada', 'pager'],
  ])('where %s: its reports, metrics, health and files have no secret', async (_, culprit, variant) => {
    const [ingestPort, port] = await lastingPorts(2);
    const ports = { INGEST_PORT: String(ingestPort) };
    const more = { ...env, ...ports, MILLRACE_DATA: `data-${culprit}` };
    const args = ['run', `${variant}.ts`, '--verbose', '--port', String(port)];
    const started = startMillrace(args, { folder: user.folder, env: more });
    const headers = { authorization: `Bearer ${planted.ingestToken}` };
    const post = (name: string) =>
      fetch(`http://127.0.0.1:${ports.INGEST_PORT}/`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ user: name, note: 'ask ada@example.com', at: 1 }),
      });
    const served: string[] = [];
    try {
      const look = async (triesMax: number) => {
        const answers = paths.map((path) => textOfAnswer(`http://127.0.0.1:${port}/${path}`, triesMax));
        served.push(...(await Promise.all(answers)));
      };
      await look(400);
      for (let tries = 0; ; tries++) {
        const answer = await post('ada').catch(() => undefined);
        if (answer?.status === 202) break;
        if (tries > 400) throw new Error(`it takes no records: ${started.output()}`);
        await sleep(100);
      }
      await look(1); // with a record under way; it may have ended already
      await post(culprit).catch(() => undefined);
      const timer = setTimeout(() => started.process.kill('SIGTERM'), 5_000);
      await started.ended;
      clearTimeout(timer);
    } finally {
      started.process.kill('SIGKILL');
    }
    expect(served.join().length).toBeGreaterThan(1_000);
    expect(started.output()).toMatch(/error|Error/);
    expect(leaksIn(started.output())).toEqual([]);
    expect(leaksIn(served.join('\n'))).toEqual([]);
  });
});

it('what was written meanwhile has none either, and what is written is looked through', async () => {
  const files = written();
  expect(files).toContain('ask '); // the records are there
  expect(leaksIn(files)).toEqual([]);
  expect(leaksIn(`${files}${JSON.stringify(secrets)}`)).toHaveLength(Object.keys(secrets).length);
});
