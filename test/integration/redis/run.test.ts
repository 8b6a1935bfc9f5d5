import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kafka } from '../../../connectors/kafka/index.js';
import { definition } from '../../../connectors/redis/definition.js';
import { redis } from '../../../connectors/redis/index.js';
import { MillraceError } from '../../../src/core/index.js';
import type { LookupDriver } from '../../../src/core/lookup.js';
import { hours, lookup, map, millis, topology } from '../../../src/index.js';
import { resolveConfig } from '../../../src/profiles/config.js';
import { openProfile } from '../../../src/profiles/profiles.js';
import { runTopology } from '../../../src/runtime/index.js';
import { json } from '../../../src/schema/index.js';
import { noInference } from '../../memory.js';
import { address } from '../address.js';

// From a stream through a lookup to counters, a set, a stream and the embedded profile's own hashes: tasks fail, nothing is lost or doubled.

let client: Client;
let data: string;
const name = `run${Date.now().toString(36)}.${process.pid}`;

beforeAll(() => {
  client = new Client(address('MILLRACE_REDIS'));
  data = mkdtempSync(join(tmpdir(), 'millrace-redis-run-'));
});
afterAll(() => {
  client.disconnect();
  rmSync(data, { recursive: true, force: true });
});

interface Payment {
  readonly account: string;
  readonly cents: string;
}

const payments = topology(name, { deadLetters: kafka.deadLetterSink({ topic: 'payments.dead' }) }, (t) => {
  const named = t
    .source(
      'payments',
      redis.streamSource({ stream: `${name}:payments`, partitions: 2, schema: json<Payment>({ subject: 'payment' }) }),
    )
    .via(
      'numbers',
      map(({ account, cents }) => ({ account, cents: Number(cents) })),
    )
    .via('owner', lookup({ from: redis.stringLookup(), key: (p) => `${name}:owner:${p.account}`, as: 'owner' }));
  named.to('spent', redis.counterSink({ key: `${name}:spent`, field: (p) => p.account, by: (p) => p.cents }));
  named.to(
    'seen',
    redis.streamSink({ stream: `${name}:seen`, entriesMax: 1_000_000, fields: ({ cents }) => ({ cents }) }),
  );
  named.to('owners', redis.setSink({ key: `${name}:owners`, member: (p) => p.owner ?? '' }));
  named.to('newest', redis.hashSink({ key: (p) => p.account, ttl: hours(1) }));
});

it('runs on the embedded profile, with a server for what that does not keep', async () => {
  const rows = 3_000;
  const accounts = 7;
  const pipeline = client.pipeline();
  for (let n = 0; n < rows; n++) {
    const cents = n % 100 === 99 ? 'a few' : String(n);
    pipeline.xadd(`${name}:payments:${n % 2}`, '*', 'account', `a${n % accounts}`, 'cents', cents);
  }
  for (let a = 0; a < accounts; a++) pipeline.set(`${name}:owner:a${a}`, a === 3 ? 'Ada' : 'Bob');
  await pipeline.exec();

  const config = resolveConfig({ flags: { data }, env: { MILLRACE_REDIS: address('MILLRACE_REDIS') } });
  const profile = await openProfile(config);
  let failures = 0;
  try {
    const running = await runTopology(payments, {
      profile,
      inference: noInference,
      bounded: true,
      epochInterval: millis(20),
      roundMax: 100,
      onPoint: (point) => {
        // Sinks have everything, the checkpoint has not.
        if (point === 'prepared' && failures++ < 2) throw new MillraceError('source', 'a crash');
      },
    });
    await running.finished;
    const reader = await ((await profile.driver(definition.kinds.hashLookup)) as LookupDriver).open(
      redis.hashLookup(),
      'hashes',
    );
    const answers = await reader.get(['a3'], new AbortController().signal);
    expect(answers).toMatchObject([{ kind: 'found', value: { account: 'a3', owner: 'Ada' } }]);
  } finally {
    await profile.close();
  }
  expect(failures).toBeGreaterThan(2);
  const good = Array.from({ length: rows }, (_, n) => n).filter((n) => n % 100 !== 99);
  const spent = Array.from({ length: accounts }, (_, a) =>
    good.filter((n) => n % accounts === a).reduce((sum, n) => sum + n, 0),
  );
  const stored = await client.hgetall(`${name}:spent`);
  expect(Array.from({ length: accounts }, (_, a) => Number(stored[`a${a}`]))).toEqual(spent);
  const seen = (await client.xrange(`${name}:seen`, '-', '+')).map(([, [, cents]]) => Number(cents));
  expect(seen.filter((cents) => !Number.isNaN(cents)).sort((a, b) => a - b)).toEqual(good);
  expect(new Set(await client.smembers(`${name}:owners`))).toEqual(new Set(['Ada', 'Bob']));
});

it('does not start where fences are left of checkpoints that are gone, until they are removed', async () => {
  const run = async (folder: string) => {
    const config = resolveConfig({ flags: { data: folder }, env: { MILLRACE_REDIS: address('MILLRACE_REDIS') } });
    const profile = await openProfile(config);
    try {
      await (await runTopology(payments, { profile, inference: noInference, bounded: true })).finished;
    } finally {
      await profile.close();
    }
  };
  await run(data); // with its checkpoints it goes on
  const empty = mkdtempSync(join(tmpdir(), 'millrace-redis-run-'));
  try {
    await expect(run(empty)).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining(`of '${name}' has no checkpoint, but a fence of spent`),
      hint: expect.stringContaining(`redis-cli --scan --pattern 'millrace:fence:*${name}:*' | xargs redis-cli unlink`),
    });
    await client.unlink(...(await client.keys(`millrace:fence:*${name}:*`)));
    await run(empty);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
});
