import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { millrace, userFolder } from './millrace.js';

const topologyFile = (raw: string) => `
import { expectations, json, maskPii, topology, validate } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
export const mails = topology('mails-${raw}', { deadLetters: kafka.deadLetterSink({ topic: 'dead.${raw}', raw: '${raw}' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'mails', schema: json() }))
    .via('mask', maskPii({ fields: ['text'], find: { email: 'replace' } }))
    .via('check', validate(expectations().range('n', 1, 9)))
    .to('out', kafka.sink({ topic: 'out.${raw}', schema: json() }));
});
`;

describe('dead letters of masked records', () => {
  const { folder, remove } = userFolder({
    'keep.mjs': topologyFile('keep'),
    'encrypt.mjs': topologyFile('encrypt'),
    'omit.mjs': topologyFile('omit'),
  });
  const MILLRACE_DEAD_LETTER_KEY = randomBytes(32).toString('base64');
  const call = (args: string[], env: Record<string, string> = {}) => millrace(args, { folder, env });
  afterAll(remove);

  it('hold the data by default, and with a key or not at all where the sink says so', async () => {
    const input = `${JSON.stringify({ n: 0, text: 'write to ada@example.org' })}\n`;
    expect((await millrace(['produce', 'mails'], { folder, input })).code).toBe(0);
    const run = (name: string, env = {}) => call(['run', `${name}.mjs`, '--until-end'], env);
    const show = (name: string, env = {}) => call(['dlq', 'show', `${name}.mjs`], env);

    expect((await run('keep')).err).not.toContain('error');
    expect((await show('keep')).out).toContain('ada@example.org');

    expect((await run('encrypt')).err).toContain('MILLRACE_DEAD_LETTER_KEY');
    expect((await run('encrypt', { MILLRACE_DEAD_LETTER_KEY })).code).toBe(0);
    expect((await call(['tail', 'dead.encrypt'])).out).not.toMatch(/ada@|YWRh/);
    expect(JSON.parse((await show('encrypt')).out)).toMatchObject({ step: 'check', record: 'encrypted', key: null });
    expect((await call(['dlq', 'replay', 'encrypt.mjs'])).err).toContain('it is encrypted');
    expect(JSON.parse((await show('encrypt', { MILLRACE_DEAD_LETTER_KEY })).out)).toMatchObject({
      step: 'check',
      value: { n: 0, text: 'write to ada@example.org' },
    });
    const other = { MILLRACE_DEAD_LETTER_KEY: randomBytes(32).toString('hex') };
    expect((await show('encrypt', other)).err).toContain('cannot be decrypted');

    expect((await run('omit')).code).toBe(0);
    expect(JSON.parse((await show('omit')).out)).toMatchObject({
      step: 'check',
      record: 'omitted',
      raw: null,
      detail: '',
    });
  }, 120_000);
});

describe('records whose time is no date', () => {
  const { folder, remove } = userFolder({
    'times.mjs': `
import { json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
export const times = topology('times', { deadLetters: kafka.deadLetterSink({ topic: 'times.dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'times', schema: json(), eventTime: (row) => row.atMs }))
    .to('out', kafka.sink({ topic: 'times.out', schema: json() }));
});
`,
  });
  afterAll(remove);

  it('are dead letters that every command can show', async () => {
    const input = [1e300, 1.7e18, 1_700_000_000_000].map((atMs) => `${JSON.stringify({ atMs })}\n`).join('');
    expect((await millrace(['produce', 'times'], { folder, input })).code).toBe(0);
    expect((await millrace(['run', 'times.mjs', '--until-end'], { folder })).code).toBe(0);
    for (const [shown, ...args] of [
      ['event-time', 'dlq', 'list', 'times.mjs'],
      ['1e+300', 'dlq', 'show', 'times.mjs'],
      ['event-time', 'tail', 'times.dead'],
      ['1e+300', 'tail', 'times'],
    ] as const) {
      const { code, out, err } = await millrace([...args], { folder });
      expect([args, code, err]).toEqual([args, 0, '']);
      expect(out).toContain(shown);
    }
  }, 120_000);
});
