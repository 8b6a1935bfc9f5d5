import { describe, expect, it } from 'vitest';
import type { Engine } from '../../../connectors/clickhouse/engine/engine.js';
import { clickhouse } from '../../../connectors/clickhouse/index.js';
import { clickHouseReader } from '../../../connectors/clickhouse/lookup-reader.js';

/** An engine that has rows under some keys, as ClickHouse writes them. */
function answering(keyType: string, keys: readonly string[]) {
  const asked: unknown[] = [];
  const query = async (_sql: string, parameters: unknown) => {
    asked.push(parameters);
    return keys.map((key) => `${JSON.stringify({ _key: key, tier: 'gold' })}\n`).join('');
  };
  const engine: Partial<Engine> = { where: 'here', query };
  const lookup = clickhouse.tableLookup({ table: 'customers', key: 'id', keyType, columns: ['tier'] });
  const reader = clickHouseReader(engine as Engine, lookup);
  return { asked, ask: (some: readonly string[]) => reader.get(some, new AbortController().signal) };
}

const gold = { kind: 'found', value: { tier: 'gold' } };

describe('clickHouseReader', () => {
  it('finds a row however its key is written', async () => {
    const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
    const ids = answering('UUID', [id]);
    expect(await ids.ask([id.toUpperCase(), id])).toEqual([gold, gold]);
    expect(await answering('UInt64', ['7']).ask(['007', '8'])).toEqual([gold, { kind: 'missing' }]);
  });

  it('refuses what is no number by itself, and asks for the others', async () => {
    const numbers = answering('Int8', ['7']);
    expect(await numbers.ask(['x', '7', '300'])).toEqual([
      { kind: 'refused', detail: 'no Int8' },
      gold,
      { kind: 'refused', detail: 'no Int8' },
    ]);
    expect(numbers.asked).toEqual([{ keys: [7n] }]);
  });

  it('refuses the key that ClickHouse cannot read, by the first line of its words, and finds the others', async () => {
    const asked: unknown[] = [];
    const query = async (_sql: string, { keys }: { readonly keys: readonly string[] }) => {
      asked.push(keys);
      if (keys.includes('x')) throw Object.assign(new Error('cannot parse x\nand a stack'), { code: '376' });
      return keys.map((key) => `${JSON.stringify({ _key: key, tier: 'gold' })}\n`).join('');
    };
    const engine: Partial<Engine> = { where: 'here', query: query as Engine['query'] };
    const lookup = clickhouse.tableLookup({ table: 'customers', key: 'id', keyType: 'UUID', columns: ['tier'] });
    const reader = clickHouseReader(engine as Engine, lookup);
    expect(await reader.get(['a', 'x', 'b'], new AbortController().signal)).toEqual([
      gold,
      { kind: 'refused', detail: 'cannot parse x' },
      gold,
    ]);
    expect(asked).toEqual([['a', 'x', 'b'], ['a'], ['x', 'b'], ['x'], ['b']]);
  });

  it.each([
    [202, false, undefined],
    [60, true, 'is the name right'],
    [47, true, 'the message comes from ClickHouse'],
  ])('takes error %i for permanent: %s, and says what it is', async (code, permanent, hint) => {
    const query = () => Promise.reject(Object.assign(new Error('it says no'), { code: String(code) }));
    const engine: Partial<Engine> = { where: 'here', query };
    const lookup = clickhouse.tableLookup({ table: 'customers', key: 'id', keyType: 'String', columns: ['tier'] });
    const answers = clickHouseReader(engine as Engine, lookup).get(['a'], new AbortController().signal);
    await expect(answers).rejects.toMatchObject({ code: 'lookup', where: 'here', permanent });
    await expect(answers).rejects.toThrow(`cannot look up: it says no (ClickHouse error ${code})`);
    if (hint !== undefined) await expect(answers).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });

  it.each([
    ['a network that is away', Object.assign(new Error('connect EHOSTUNREACH'), { code: 'EHOSTUNREACH' })],
    ["a proxy's page", new Error('<html><body><h1>503 Service Unavailable</h1>')],
  ])('does not give up for %s, which is no answer of ClickHouse', async (_, error) => {
    const engine: Partial<Engine> = { where: 'here', query: () => Promise.reject(error) };
    const lookup = clickhouse.tableLookup({ table: 'customers', key: 'id', keyType: 'String', columns: ['tier'] });
    const answers = clickHouseReader(engine as Engine, lookup).get(['a'], new AbortController().signal);
    await expect(answers).rejects.toMatchObject({ code: 'lookup', where: 'here', permanent: false });
    await expect(answers).rejects.toThrow(`cannot look up: ${error.message}`);
  });
});
