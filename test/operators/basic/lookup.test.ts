import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { http } from '../../../connectors/http/index.js';
import { kafka } from '../../../connectors/kafka/index.js';
import { postgres } from '../../../connectors/postgres/index.js';
import { type HashFields, redis } from '../../../connectors/redis/index.js';
import { type Lookup, millis, minutes, seconds } from '../../../src/core/index.js';
import { type LookupOptions, lookup } from '../../../src/operators/basic/lookup.js';
import { json } from '../../../src/schema/index.js';
import { TopologyTest } from '../../../src/testing/topology-test.js';
import { check, describe as describeTopology, type Stream, topology } from '../../../src/topology/index.js';

interface Payment {
  readonly id: number;
  readonly customer: string | null;
}
interface Customer {
  readonly tier: string;
}
type Options = Partial<LookupOptions<Payment, Customer, 'found', unknown, unknown>>;

const enriched = (options: Options = {}) =>
  topology('enriched', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    t.source('payments', kafka.source({ topic: 'payments', schema: json<Payment>() }))
      .via('customer', lookup({ from: redis.hashLookup<Customer>(), key: (p) => p.customer, as: 'found', ...options }))
      .to('out', kafka.sink({ topic: 'out', schema: json() }));
  });

const payments = (...customers: (string | null)[]): Payment[] => customers.map((customer, id) => ({ id, customer }));

/** What comes out for these customers; a store that knows everybody whose name is no `no...`. */
async function run(options: Options, customers: (string | null)[], store = (key: string): unknown => known(key)) {
  const asked: string[] = [];
  const test = new TopologyTest(enriched(options), {
    lookups: {
      customer: (key) => {
        asked.push(key);
        return store(key);
      },
    },
  });
  await test.pipe('payments', payments(...customers));
  try {
    await test.run();
    return {
      out: test.output('out').map((value) => (value as { found: unknown }).found),
      ids: test.output('out').map((value) => (value as Payment).id),
      dead: test.deadLetters(),
      asked,
      counter: (name: string) => test.counter('customer', name),
    };
  } finally {
    await test.close();
  }
}

const known = (key: string) => (key.startsWith('no') ? undefined : { tier: `of ${key}` });
const broken = (key: string) => {
  if (key === 'bad') throw new Error('out of order');
  return known(key);
};

describe('lookup', () => {
  it('adds what the store has of each key, in order, asking once for a key', async () => {
    const { out, ids, asked, dead } = await run({}, ['ann', 'bob', 'ann', 'ann']);
    expect(out).toEqual([{ tier: 'of ann' }, { tier: 'of bob' }, { tier: 'of ann' }, { tier: 'of ann' }]);
    expect(ids).toEqual([0, 1, 2, 3]);
    expect(asked).toEqual(['ann', 'bob']);
    expect(dead).toEqual([]);
  });

  it('sends what is missing to the dead letters, or gives it what it is told, or stops', async () => {
    const customers = ['ann', 'nobody', null, ''];
    const long = `no${'x'.repeat(98)}`;
    const plain = await run({}, customers);
    expect(plain.ids).toEqual([0]);
    expect(plain.dead).toEqual(
      [1, 2, 3].map((offset) => expect.objectContaining({ reason: 'not-found', step: 'customer', offset })),
    );
    const details = [...plain.dead, ...(await run({}, [long, `${long}y`])).dead].map(({ detail }) => detail);
    const named = [
      "key 'nobody'",
      'a record without a key',
      'a record without a key',
      `key '${long}'`,
      `key '${long}...'`,
    ];
    expect(details).toEqual(named.map((name) => `there is nothing of ${name}`));
    expect(plain.asked).toEqual(['ann', 'nobody']);
    expect(plain.counter('missing')).toBe(3);
    const used = await run({ onMissing: { use: null } }, customers);
    expect(used.out).toEqual([{ tier: 'of ann' }, null, null, null]);
    expect(used.counter('fallback')).toBe(3);
    await expect(run({ onMissing: 'fail' }, customers)).rejects.toMatchObject({ code: 'step', where: 'customer' });
  });

  it('goes on without a store that fails, where it is told to', async () => {
    const attempts = { attemptsMax: 2, batchMax: 1 };
    const dead = await run({ ...attempts, onFailure: 'dead-letter' }, ['ann', 'bad', 'bob'], broken);
    expect(dead.ids).toEqual([0, 2]);
    expect(dead.dead).toMatchObject([{ reason: 'lookup-failed', detail: "key 'bad': out of order", offset: 1 }]);
    expect(dead.asked.filter((key) => key === 'bad')).toHaveLength(2);
    const used = await run({ ...attempts, onFailure: { use: { tier: 'none' } } }, ['ann', 'bad', 'bob'], broken);
    expect(used.out).toEqual([{ tier: 'of ann' }, { tier: 'none' }, { tier: 'of bob' }]);
    expect(used.counter('failed')).toBe(1);
    await expect(run({ ...attempts, onFailure: 'fail' }, ['bad'], broken)).rejects.toMatchObject({ code: 'step' });
  });

  it('waits for a store that is down and loses nothing', async () => {
    let asked = 0;
    const flaky = (key: string) => {
      if (++asked <= 25) throw new Error('down');
      return known(key);
    };
    const { ids, dead } = await run({}, ['ann', 'bob', 'nobody', 'cay'], flaky);
    expect(ids).toEqual([0, 1, 3]);
    expect(dead).toMatchObject([{ offset: 2, reason: 'not-found' }]);
    expect(asked).toBeGreaterThan(25);
  });

  it('remembers for as long as it may, over rounds and runs of its tasks', async () => {
    const customers = Array.from({ length: 3_000 }, (_, i) => `c${i % 50}`);
    const cache = { entriesMax: 100, ttl: minutes(10) };
    const { asked, out, counter } = await run({ cache }, customers);
    expect(asked).toHaveLength(50);
    expect(out).toEqual(customers.map((key) => ({ tier: `of ${key}` })));
    expect(counter('cached')).toBeGreaterThan(0);
  });

  it('gives the very records that a plain loop over them gives', async () => {
    const key = fc.constantFrom('ann', 'bob', 'cay', 'nobody', 'nothing', '', null);
    const options = fc.record({
      batchMax: fc.integer({ min: 1, max: 5 }),
      concurrencyMax: fc.integer({ min: 1, max: 3 }),
      waitMax: fc.constantFrom(millis(0), millis(5)),
      cache: fc.constantFrom(undefined, { entriesMax: 2, ttl: seconds(1), missingTtl: millis(1) }),
      lost: fc.array(fc.boolean(), { maxLength: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 40 }), options, async (customers, { lost, ...limits }) => {
        let asked = 0;
        const store = (name: string) => {
          if (lost[asked++]) throw new Error('lost');
          return known(name);
        };
        const { out, ids, dead } = await run(
          { ...limits, ...(limits.cache ? { cache: limits.cache } : {}), attemptsMax: 30 } as Options,
          customers,
          store,
        );
        const expected = customers.flatMap((name, id) => (name && known(name) ? [{ id, value: known(name) }] : []));
        expect(ids).toEqual(expected.map(({ id }) => id));
        expect(out).toEqual(expected.map(({ value }) => value));
        expect(dead.map(({ offset }) => offset)).toEqual(customers.flatMap((_, id) => (ids.includes(id) ? [] : [id])));
      }),
      { numRuns: 40 },
    );
  });

  it('is described with whatever stands in for an answer, a bigint too', () => {
    const from = redis.stringLookup({ decode: Number });
    expect(lookup({ from, key: () => 1, as: 'price', onMissing: { use: { cents: 0n } } }).settings.onMissing).toBe(
      'use {"cents":"0n"}',
    );
  });

  it('says how it asks, and what is wrong with that', () => {
    const text = describeTopology(
      enriched({
        cache: { entriesMax: 10, ttl: minutes(5), missingTtl: seconds(1) },
        perSecondMax: 50,
        onMissing: { use: null },
      }),
    );
    expect(text).toContain('lookup (batched)');
    expect(text).toContain(
      'as=found attemptsMax=4 batchMax=100 cacheMax=10 concurrencyMax=4 from=redis.hashLookup missingTtl=1s onFailure=wait ' +
        'onMissing="use null" perSecondMax=50 timeout=2s ttl=5m waitMax=5ms',
    );
    const wrong = enriched({
      batchMax: 0,
      perSecondMax: 0,
      timeout: millis(-1),
      waitMax: millis(Number.NaN),
      cache: { entriesMax: 1.5, ttl: millis(0), missingTtl: millis(-1) },
    });
    expect(check(wrong).map(({ where, message }) => `${where}: ${message}`)).toEqual([
      'customer: batchMax is 0',
      'customer: cache.entriesMax is 1.5',
      'customer: timeout is -1',
      'customer: perSecondMax is 0',
      'customer: cache.ttl is 0',
      'customer: waitMax is NaN',
      'customer: cache.missingTtl is -1',
    ]);
  });

  it('says what is wrong with the store that it asks', () => {
    const wrong: readonly [from: Lookup<unknown>, messages: readonly string[]][] = [
      [redis.hashLookup({ decode: 5, prefix: 'x' } as never), ['there is no option prefix', 'decode is 5']],
      [redis.stringLookup({ ttl: 1 } as never), ['there is no option ttl']],
      [http.getLookup({ url: 'https://crm.example/customers' }), ['url is of type string']],
      [http.getLookup({} as never), ['url is missing']],
      [http.getLookup({ url: 'https://crm.example/{key}', bytesMax: 0 }), ['bytesMax is 0']],
      [http.postLookup({ url: 'ftp://crm.example', keysMax: 1.5 }), ['url is of type string', 'keysMax is 1.5']],
      [clickhouse.tableLookup({ key: 'id' } as never), ['neither table nor query']],
      [clickhouse.tableLookup({ table: 'customers', key: 'id' } as never), ['columns is missing']],
      [clickhouse.tableLookup({ table: 'customers', columns: ['tier'] } as never), ['key is missing']],
      [
        clickhouse.tableLookup({ query: 'SELECT id FROM customers', key: 'id' }),
        ['the query has no parameter for the keys'],
      ],
      [
        clickhouse.tableLookup({ query: 'SELECT 1', table: 't', key: 'id' } as never),
        ['query beside table or columns'],
      ],
      [postgres.tableLookup({ table: 'customers', key: 'id' } as never), ['columns is missing']],
      [
        postgres.tableLookup({ table: 'customers', key: 'id', columns: [], keyType: 'text[]' }),
        ['keyType is "text[]"'],
      ],
    ];
    for (const [from, messages] of wrong) {
      const found = check(enriched({ from: from as Lookup<Customer> }));
      expect(found.map(({ where, message }) => `${where}: ${message}`)).toEqual(
        messages.map((message) => `customer: ${from.kind}: ${message}`),
      );
      expect(found.every(({ hint }) => hint !== '')).toBe(true);
    }
    const right = [
      redis.stringLookup(),
      http.getLookup({ url: 'https://crm.example/{key}' }),
      http.postLookup({ url: 'https://crm.example/batch' }),
      clickhouse.tableLookup({ table: 'customers', key: 'id', columns: ['tier'] }),
      clickhouse.tableLookup({ query: 'SELECT * FROM customers WHERE id IN {keys:Array(UInt32)}', key: 'id' }),
      postgres.tableLookup({ table: 'shop.customers', key: 'id', columns: ['tier'], keyType: 'numeric(12, 2)' }),
    ];
    expect(right.flatMap((from) => check(enriched({ from: from as Lookup<Customer> })))).toEqual([]);
  });
});

// Never run: the compiler is the judge.
const proveTypes = () =>
  topology('types', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
    const source = t.source('payments', kafka.source({ topic: 'payments', schema: json<Payment>() }));
    const plain = source.via('a', lookup({ from: redis.hashLookup(), key: (p) => p.customer, as: 'fields' }));
    expectTypeOf(plain).toEqualTypeOf<Stream<Payment & { readonly fields: HashFields }>>();
    const decoded = source.via(
      'b',
      lookup({ from: redis.stringLookup({ decode: Number }), key: (p) => p.id, as: 'price', onMissing: { use: null } }),
    );
    expectTypeOf(decoded).toEqualTypeOf<Stream<Payment & { readonly price: number | null }>>();
    const failing = source.via(
      'c',
      lookup({
        from: http.getLookup<Customer>({ url: 'https://crm.example/{key}' }),
        key: (p) => p.customer,
        as: 'who',
        onFailure: { use: 'unknown' as const },
      }),
    );
    expectTypeOf(failing).toEqualTypeOf<Stream<Payment & { readonly who: Customer | 'unknown' }>>();
    const rows = clickhouse.tableLookup<Customer>({ table: 'customers', key: 'id', columns: ['tier'] });
    // @ts-expect-error the name is taken
    source.via('d', lookup({ from: rows, key: (p) => p.customer, as: 'id' }));
    // @ts-expect-error no such field
    source.via('e', lookup({ from: rows, key: (p) => p.name, as: 'who' }));
    // @ts-expect-error an object is no key
    source.via('f', lookup({ from: rows, key: (p) => p, as: 'who' }));
  });
void proveTypes;
