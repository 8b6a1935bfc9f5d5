import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { VerifyReport } from '../../src/verify/report.js';
import { millrace, userFolder } from '../cli/millrace.js';
import { clicks, topologiesFile } from '../verify/topologies.js';

const user = userFolder({
  'temporary/none': '',
  'shop.ts': topologiesFile('shop'),
  'clicks.ndjson': clicks(1_200)
    .map((click) => `${JSON.stringify(click)}\n`)
    .join(''),
});
afterAll(() => user.remove());

/** Of these tests alone: others verify at the same time. */
const temporary = join(user.folder, 'temporary');
const copies = () => readdirSync(temporary).filter((name) => name.startsWith('millrace-verify-'));

async function verify(topology: string, ...args: string[]): Promise<{ code: number | null; report: VerifyReport }> {
  const { code, out, err } = await millrace(['verify', `shop.ts#${topology}`, '--json', ...args], {
    folder: user.folder,
    env: { TMPDIR: temporary },
  });
  try {
    return { code, report: JSON.parse(out) };
  } catch {
    throw new Error(`${code}: ${out}\n${err}`);
  }
}

const countsOf = ({ compared }: VerifyReport) =>
  Object.fromEntries(compared.map(({ what, entries, counts }) => [what, { entries, ...counts }]));
const none = { lost: 0, duplicated: 0, different: 0, unexpected: 0, outOfOrder: 0 };

const file = ['--input', 'clicks.ndjson', '--key', 'key', '--partitions', '2'];

describe('millrace verify on the embedded profile', () => {
  it('finds a topology right whose every output depends on all that was read, kills or not', async () => {
    const { code, report } = await verify('right', ...file, '--kills', '3', '--minutes', '0.2');
    expect(report).toMatchObject({ right: true, records: 1_200, processes: 1, kills: 3, notes: [] });
    const written = { entries: new Set(clicks(1_200).map(({ n }) => n)).size, ...none };
    expect(countsOf(report)).toEqual({
      scores: written,
      online: { entries: 23, ...none },
      history: written,
      strict: written,
      '$dead-letters': { entries: 0, ...none },
      $state: { entries: expect.any(Number), ...none },
    });
    expect(report.compared.find(({ what }) => what === '$state')?.entries).toBeGreaterThan(5);
    expect(code).toBe(0);
    expect(copies()).toEqual([]);
  });

  it('finds what is revised again and again the same in the end', async () => {
    const { code, report } = await verify('revised', ...file, '--kills', '2', '--minutes', '0.15');
    expect(report).toMatchObject({ right: true, records: 1_200, kills: 2 });
    expect(report.compared.slice(0, 3).map(({ what, how, entries }) => [what, how, entries])).toEqual([
      ['topic', 'in order', 1_200],
      ['online', 'by key', 23],
      ['table', 'in any order', 23],
    ]);
    expect(code).toBe(0);
  });

  it('finds windows, joins, tables and patterns right: no result twice or lost, no timer forgotten', async () => {
    const { code, report } = await verify('timed', ...file, '--kills', '4', '--minutes', '0.3');
    expect(report).toMatchObject({ right: true, records: 1_200, kills: 4, notes: [] });
    const found = countsOf(report);
    for (const what of [
      'rows-out',
      'rows-table',
      'known',
      'newest-known',
      'pairs-out',
      'visits-out',
      'leaps-out',
      '$state',
    ])
      expect([what, found[what]]).toEqual([what, { entries: expect.any(Number), ...none }]);
    const entries = (what: string) => found[what]?.entries ?? 0;
    expect(entries('known'), 'of each record, since both runs drain').toBe(1_200);
    for (const what of ['rows-out', 'pairs-out', 'visits-out', 'leaps-out'])
      expect(entries(what), what).toBeGreaterThan(10);
    expect(code).toBe(0);
  });

  it('compares bags of records where nothing decides their order, and says so', async () => {
    const { code, report } = await verify('moved', ...file, '--kills', '1', '--minutes', '0.1');
    expect(report).toMatchObject({ right: true, notes: [expect.stringContaining('after a repartition')] });
    expect(report.compared.map(({ what, how, entries }) => [what, how, entries])).toEqual([
      ['out', 'in any order', 1_200],
      ['online', 'keys only', 10],
      ['table', 'in any order', 1_200],
      ['$dead-letters', 'in any order', 0],
    ]);
    expect(code).toBe(0);
  });

  it('catches what is kept outside of cells, by a kill alone', async () => {
    const oneTask = ['--input', 'clicks.ndjson', '--minutes', '0.15'];
    const reference = await verify('forgetful', ...oneTask, '--kills', '0');
    expect(reference).toMatchObject({ code: 0, report: { right: true, kills: 0 } });
    const { code, report } = await verify('forgetful', ...oneTask, '--kills', '2');
    expect(report).toMatchObject({ right: false, kills: 2 });
    expect(countsOf(report).out?.different).toBeGreaterThan(100);
    const [sample] = report.compared[0]?.samples ?? [];
    expect(sample).toMatchObject({ kind: 'different', record: expect.stringMatching(/\.input\.clicks\/\d\/\d+$/) });
    const seen = (shown: unknown) => (shown as { value: { n: number; seen: number } }).value;
    expect(seen(sample?.reference).n).toBe(seen(sample?.faulted).n);
    expect(seen(sample?.reference).seen).not.toBe(seen(sample?.faulted).seen);
    expect(code).toBe(1);
  });

  it('catches chance, reads what the topics hold, and leaves it as it is', async () => {
    const fill = await millrace(['produce', 'shop.clicks', '--key', 'key', '--partitions', '2'], {
      ...user,
      input: clicks(500)
        .map((click) => `${JSON.stringify(click)}\n`)
        .join(''),
    });
    expect(fill.code, fill.err).toBe(0);
    const { code, report } = await verify('dice', '--kills', '0', '--minutes', '0.02');
    expect(report).toMatchObject({ right: false, records: 500 });
    expect(countsOf(report).out).toEqual({ entries: 500, ...none, different: 500 });
    expect(code).toBe(1);
    const left = await millrace(['tail', 'shop.clicks', '--limit', '1000'], user);
    expect(left.out.trim().split('\n')).toHaveLength(500);
    for (const topic of ['shop.out', 'shop.dead']) {
      expect((await millrace(['tail', topic], user)).err).toContain(`topic ${topic} does not exist`);
    }
  });
});
