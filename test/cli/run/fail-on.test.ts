import { afterAll, expect, it } from 'vitest';
import { millrace, userFolder } from '../millrace.js';

const user = userFolder({
  'wrong.ts': `
import { csv, json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

export const wrong = topology('wrong', { deadLetters: kafka.deadLetterSink({ topic: 'wrong.dead' }) }, (t) => {
  t.source('numbers', kafka.source({ topic: 'in', schema: csv({ columns: { n: 'integer' } }) }))
    .to('out', kafka.sink({ topic: 'out', schema: json<{ n: number }>() }));
});
`,
});
afterAll(() => user.remove());

it('ends with 1 where nothing of a source can be decoded, or a share is too large, unless it is told to pass', async () => {
  const { folder } = user;
  const run = async (...args: string[]) => {
    const input = '{"n":1}\n'.repeat(120);
    expect((await millrace(['produce', 'in'], { folder, input })).code).toBe(0);
    return millrace(['run', 'wrong.ts', '--until-end', ...args], { folder });
  };
  const plain = await run();
  expect(plain.code).toBe(1);
  expect(plain.err).toContain('not one record of numbers could be decoded (not-csv)');
  expect((await run('--fail-on', 'dead=100%')).code).toBe(0);
  const limited = await run('--fail-on', 'dead=1%');
  expect(limited.code).toBe(1);
  expect(limited.err).toContain('--fail-on: 100.0% of the records are dead letters (limit 1.0%)');
}, 240_000);
