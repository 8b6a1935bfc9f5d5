import { afterAll, expect, it } from 'vitest';
import { millrace, userFolder } from './millrace.js';

const user = userFolder({
  'flow.ts': `
import { json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

export const flow = topology('flow', { deadLetters: kafka.deadLetterSink({ topic: 'dead' }) }, (t) => {
  t.source('in', kafka.source({ topic: 'in', schema: json() })).to('out', kafka.sink({ topic: 'out', schema: json() }));
});
`,
});
afterAll(() => user.remove());

it('check refuses settings that no run would take', { timeout: 120_000 }, async () => {
  const check = (profile: string) =>
    millrace(['check', 'flow.ts'], { folder: user.folder, env: { MILLRACE_PROFILE: profile } });
  expect(await check('embedded')).toMatchObject({ code: 0, out: 'flow: no problems found\n' });
  const { code, err } = await check('moon');
  expect(code).toBe(1);
  expect(err).toContain('MILLRACE_PROFILE must be one of embedded, cluster, not "moon"');
});
