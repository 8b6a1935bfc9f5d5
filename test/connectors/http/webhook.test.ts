import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { http, type WebhookOptions } from '../../../connectors/http/index.js';
import { httpSink } from '../../../connectors/http/sink.js';
import { signature } from '../../../connectors/http/webhook-writer.js';
import { millis, type Sink } from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { asJson, hostileValuesContract } from '../../../src/testing/hostile-values.js';
import { sinkContract } from '../../../src/testing/sink-contract.js';
import { generator } from '../../random.js';
import { memoryLedgers } from '../clickhouse/memory-ledgers.js';
import { newService, range } from './service.js';

interface Value {
  readonly n: number;
}
const hook = (url: string, options: Partial<WebhookOptions<Value>> = {}) =>
  http.webhookSink<Value>({ url, ...options }) as Sink<never> as Sink<unknown>;

const open = (sink: Sink<unknown>, incarnation = 0) =>
  httpSink().open(sink, { step: 'alerts', task: { topology: 't', partition: 0 }, incarnation });

const put = (writer: Awaited<ReturnType<typeof open>>, numbers: readonly number[]) =>
  writer.write(
    numbers.map((n) => ({ n })),
    numbers.map((n) => originAt(n)),
  );
const numberOf = ({ body }: { readonly body: string }) => (JSON.parse(body) as Value).n;

afterEach(() => {
  delete process.env.TEST_HOOK_SECRET;
});

describe('http.webhookSink', () => {
  const checks = sinkContract('append', async () => {
    const seen = new Map<string, number>();
    const service = await newService((heard, response) => {
      seen.set(String(heard.headers['idempotency-key']), numberOf(heard)); // a receiver that heeds the key
      response.end();
    });
    return {
      driver: httpSink(),
      sink: hook(service.url),
      openLedger: memoryLedgers(),
      value: (n) => ({ n }),
      visible: async () => [...seen.values()],
      close: async () => undefined,
    };
  });
  for (const { name, run } of checks) it(`keeps the contract: ${name}`, run);

  const hostile = hostileValuesContract(async () => {
    const seen = new Map<number, unknown>();
    const service = await newService((heard, response) => {
      const { n, v } = JSON.parse(heard.body) as { n: number; v: unknown };
      seen.set(n, v);
      response.end();
    });
    return {
      driver: httpSink(),
      sink: hook(service.url),
      openLedger: memoryLedgers(),
      row: (n, v) => ({ n, v }),
      plain: 'plain',
      read: async () => seen,
      stored: asJson,
      close: async () => undefined,
    };
  });
  for (const { name, run } of hostile) it(name, run);

  it('has ids that headers take, whatever an input is called', async () => {
    const service = await newService((_, response) => response.end());
    const writer = await open(hook(service.url));
    await writer.write([{ n: 1 }], [{ ...originAt(7), topic: 'in/データ 1/*.csv' }]);
    await writer.prepare?.();
    expect(service.heard[0]?.headers['webhook-id']).toBe('t:alerts:0:in/%E3%83%87%E3%83%BC%E3%82%BF%201/*.csv:0:7:0');
    await writer.close();
  });

  it('loses nothing and keeps the order of each key while the service stumbles', async () => {
    const random = generator(3);
    const service = await newService(async (_, response) => {
      const dice = random();
      if (dice < 0.1) return response.destroy();
      if (dice < 0.2) return response.writeHead(503).end();
      if (dice < 0.25) return response.writeHead(429, { 'retry-after': '0' }).end();
      await sleep(random() * 4);
      return response.end();
    });
    const taken: { key: number; n: number; id: string }[] = [];
    const writer = await open(hook(`${service.url}/x`, { key: ({ n }) => String(n % 7), concurrencyMax: 5 }));
    await put(writer, range(0, 150));
    await writer.prepare?.();
    for (const each of service.heard) {
      taken.push({ key: numberOf(each) % 7, n: numberOf(each), id: String(each.headers['webhook-id']) });
    }
    const once = [...new Map(taken.map((each) => [each.id, each])).values()];
    expect(once.map(({ n }) => n).sort((a, b) => a - b)).toEqual(range(0, 150));
    for (const key of range(0, 7)) {
      const ofKey = taken.filter((each) => each.key === key).map(({ n }) => n);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b)); // tries of one are never behind the next
    }
    await writer.close();
  });

  it('sends values of different keys side by side, as many at a time as it may', async () => {
    let underWay = 0;
    let most = 0;
    const service = await newService(async (_, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await sleep(5);
      underWay -= 1;
      response.end();
    });
    const writer = await open(hook(service.url, { key: ({ n }) => String(n), concurrencyMax: 3 }));
    await put(writer, range(0, 20));
    await writer.prepare?.();
    await writer.close();
    expect([service.heard.length, most]).toEqual([20, 3]);
  });

  it('sends the same id in every replay, another for another value, and signs what it sends', async () => {
    process.env.TEST_HOOK_SECRET = `whsec_${Buffer.from('a secret').toString('base64')}`;
    const service = await newService((_, response) => response.end());
    for (let replay = 0; replay < 2; replay++) {
      const writer = await open(hook(service.url, { secretFrom: 'TEST_HOOK_SECRET', concurrencyMax: 1 }));
      await writer.write([{ n: 1 }, { n: 2 }], [originAt(5), originAt(5)]);
      await writer.prepare?.();
    }
    const ids = service.heard.map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual(['t:alerts:0:contract:0:5:0', 't:alerts:0:contract:0:5:1', ...ids.slice(0, 2)]);
    for (const { headers, body } of service.heard) {
      const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
      const expected = createHmac('sha256', 'a secret').update(signed).digest('base64');
      expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    }
    // The example of the specification's reference implementations.
    const published = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'msg_p5jXN8AQM9LWM0D4loKWxJek', '1614265330'] as const;
    expect(signature(...published, '{"test": 2432232314}')).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('stops at what a service refuses, and says neither body nor secret', async () => {
    process.env.TEST_HOOK_SECRET = 'very secret';
    const service = await newService((_, response) => response.writeHead(422).end('no'));
    const writer = await open(hook(`${service.url}/in?token=hidden`, { secretFrom: 'TEST_HOOK_SECRET' }));
    await put(writer, [7]);
    const error = await writer.prepare?.().catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'sink', permanent: true, message: expect.stringContaining('422') });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/secret|hidden|"n"/);
    expect(JSON.stringify(hook(`${service.url}/in?token=hidden`).settings)).not.toContain('hidden');
    delete process.env.TEST_HOOK_SECRET;
    await expect(open(hook(service.url, { secretFrom: 'TEST_HOOK_SECRET' }))).rejects.toMatchObject({ code: 'config' });
  });

  it('signs with no secret that was garbled on its way', async () => {
    for (const garbled of ['whsec_', 'whsec_c2Vj cmV0', 'whsec_"c2VjcmV0"', 'whsec_c2VjcmV0\n']) {
      process.env.TEST_HOOK_SECRET = garbled;
      const error = await open(hook('http://127.0.0.1:1/', { secretFrom: 'TEST_HOOK_SECRET' })).catch(
        (e: unknown) => e,
      );
      expect(error).toMatchObject({ code: 'config', permanent: true });
      expect(String(error)).not.toContain('c2Vj');
    }
    delete process.env.TEST_HOOK_SECRET;
  });

  it('lets the caller wait above a thousand values on their way', async () => {
    const service = await newService((_, response) => response.end());
    const writer = await open(hook(service.url, { key: () => 'one' }));
    expect(put(writer, range(0, 1_000))).toBeUndefined();
    const wait = put(writer, [1_000]);
    expect(wait).toBeInstanceOf(Promise);
    await writer.close();
    await Promise.resolve(wait).catch(() => undefined);
  });

  it('gives up an answer that does not come, and can be closed meanwhile', async () => {
    let slow = true;
    const service = await newService(async (_, response) => {
      if (slow) return;
      response.end();
    });
    const writer = await open(hook(service.url, { timeout: millis(50) }));
    await put(writer, [1]);
    const prepared = writer.prepare?.();
    await sleep(120);
    slow = false;
    await prepared;
    expect(service.heard.length).toBeGreaterThan(1);
    slow = true;
    await put(writer, [2]);
    await writer.close();
  });
});
