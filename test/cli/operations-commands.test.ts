import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { millrace, userFolder } from './millrace.js';

// The commands as a person calls them, one after another on one folder: outputs and exit codes.

const topologyFile = (sumVersion: number, step = 'totals') => `
import { json, MillraceError, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
const cell = (version) => ({
  kind: 'value',
  version,
  open() {
    let sum = 0;
    return {
      restore(_bucket, bytes, stored) {
        if (stored !== version) throw new MillraceError('state', 'version ' + stored);
        sum = bytes[0];
      },
      takeChanges: () => [{ bucket: 0, bytes: Uint8Array.of(sum) }],
      add: (n) => (sum += n),
    };
  },
});
const totals = {
  kind: 'totals',
  settings: {},
  shape: {
    shape: 'stateful',
    inputs: [],
    cells: { sum: cell(${sumVersion}) },
    open: ({ sum }) => ({ onRecord: (_, value, emit) => emit({ ...value, sum: sum.add(value.n) }) }),
  },
};
export const numbers = topology('numbers', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'numbers', schema: json() }))
    .via('${step}', totals)
    .to('out', kafka.sink({ topic: 'sums', schema: json() }));
});
`;

describe('operations from the command line', () => {
  const { folder, remove } = userFolder({
    'numbers.mjs': topologyFile(1),
    'newer.mjs': topologyFile(2),
    'renamed.mjs': topologyFile(1, 'sums'),
  });
  const call = (...args: string[]) => millrace(args, { folder });
  const asJson = async (...args: string[]) => {
    const { code, out, err } = await call(...args, '--json');
    expect([args, code, err]).toEqual([args, 0, '']);
    return JSON.parse(out);
  };

  beforeAll(async () => {
    const input = [1, 2, 3].map((n) => `${JSON.stringify({ n })}\n`).join('');
    expect((await millrace(['produce', 'numbers'], { folder, input })).code).toBe(0);
    const profile = await openProfile(resolveConfig({ flags: { data: join(folder, '.millrace/data') }, env: {} }));
    await profile.producer().append('numbers', 0, [{ key: null, value: Buffer.from('no json'), timestampMs: 4 }]);
    await profile.close();
    expect((await call('run', 'numbers.mjs', '--until-end')).code).toBe(0);
  }, 60_000);
  afterAll(remove);

  it('plan, offsets and tail look and change nothing', async () => {
    const plan = await asJson('plan', 'numbers.mjs');
    expect(plan.cells.map(({ step, action }: { step: string; action: string }) => [step, action])).toEqual([
      ['totals', 'reused'],
      ['$counters', 'reused'],
    ]);
    const newer = await call('plan', 'newer.mjs');
    expect([newer.code, newer.err]).toEqual([1, '']);
    expect(newer.out).toMatch(/totals +sum +refused +v1 -> v2, 1 bucket, 1 byte +version 1\n/);
    expect(newer.out).toMatch(/a run would be refused\n$/);
    const renamed = await call('plan', 'renamed.mjs');
    expect([renamed.code, renamed.err, renamed.out]).toEqual([
      3,
      '',
      expect.stringMatching(
        /checkpoint:\n {2}- step totals \(totals\): sum 1\n {2}\+ step sums \(totals\): sum 1\na run needs --accept-plan \w{16}\n$/,
      ),
    ]);
    expect(await asJson('offsets', 'numbers.mjs')).toMatchObject({ lag: 0, tasks: [{ position: 4, end: 4 }] });
    const { out } = await call('tail', 'sums', '--from', '1');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).value),
    ).toEqual([
      { n: 2, sum: 3 },
      { n: 3, sum: 6 },
    ]);
  }, 60_000);

  it('a savepoint is restored by the topology that made it, and by another only with --force', async () => {
    const created = await asJson('savepoint', 'create', 'one', 'numbers.mjs');
    expect(created).toMatchObject({ name: 'one', topology: 'numbers', partitions: 1 });
    expect((await asJson('savepoint', 'list')).savepoints).toHaveLength(1);
    const refused = await call('savepoint', 'restore', 'one', 'renamed.mjs');
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/totals +sum +dropped/);
    expect(refused.err).toContain('--force');
    expect(await asJson('savepoint', 'restore', 'one', 'numbers.mjs')).toMatchObject({ incarnation: 1, tasks: 1 });
    expect(await asJson('savepoint', 'restore', 'one', 'renamed.mjs', '--force')).toMatchObject({ incarnation: 2 });
    expect(await asJson('savepoint', 'restore', 'one', 'numbers.mjs')).toMatchObject({ incarnation: 3 });
  }, 60_000);

  it('dead letters are sent back only with --yes, and known when they fail again', async () => {
    expect((await asJson('dlq', 'list', 'numbers.mjs')).letters).toMatchObject([{ step: 'in', count: 1, replayed: 0 }]);
    const [{ reason }] = (await asJson('dlq', 'list', 'dead')).letters;
    const { out } = await call('dlq', 'show', 'numbers.mjs', '--reason', reason);
    expect(JSON.parse(out)).toMatchObject({ origin: { topic: 'numbers', partition: 0, offset: 3 }, replayed: false });
    expect(await asJson('dlq', 'replay', 'numbers.mjs')).toMatchObject({ sent: false, records: [{ records: 1 }] });
    expect(await asJson('offsets', 'numbers.mjs')).toMatchObject({ lag: 0 });
    expect(await asJson('dlq', 'replay', 'numbers.mjs', '--yes')).toMatchObject({ sent: true });
    expect(await asJson('offsets', 'numbers.mjs')).toMatchObject({ lag: 1 });
    expect((await call('run', 'numbers.mjs', '--until-end')).code).toBe(0);
    expect((await asJson('dlq', 'list', 'numbers.mjs')).letters).toMatchObject([{ count: 2, replayed: 1 }]);
    expect((await asJson('dlq', 'replay', 'numbers.mjs', '--offsets', '1')).records).toEqual([]);
    expect((await asJson('dlq', 'replay', 'numbers.mjs', '--offsets', '1', '--again')).records).toHaveLength(1);
  }, 120_000);

  it('offsets move only with --yes', async () => {
    const move = ['offsets', 'reset', 'numbers.mjs', '--to', 'earliest', '--drop-state'];
    expect(await asJson(...move)).toMatchObject({ done: false, incarnation: 4, moves: [{ from: 5, to: 0 }] });
    expect(await asJson('offsets', 'numbers.mjs')).toMatchObject({ lag: 0 });
    expect(await asJson(...move, '--yes')).toMatchObject({ done: true });
    expect(await asJson('offsets', 'numbers.mjs')).toMatchObject({ lag: 5 });
    const { code, err } = await call('offsets', 'reset', 'numbers.mjs', '--to', 'earliest', '--source', 'none');
    expect(code).toBe(1);
    expect(err).toContain('it has: in');
  }, 60_000);
});
