import { afterAll, describe, expect, it } from 'vitest';
import { jsonReport } from '../../../src/cli/run/json-report.js';
import { terminalReport } from '../../../src/cli/run/run-report.js';
import { MillraceError } from '../../../src/core/errors.js';
import { orders } from '../../topology/fixtures.js';
import { millrace, userFolder } from '../millrace.js';

type Level = 'debug' | 'info' | 'warn' | 'error';

function reported(make: typeof jsonReport, logLevel: Level, style = {}) {
  let err = '';
  const terminal = {
    out: () => undefined,
    err: (text: string) => {
      err += text;
    },
  };
  const report = make(terminal, orders, { profile: 'embedded', logLevel }, style);
  report.onServing('http://127.0.0.1:9464');
  report.onEpoch({ subtopology: 'orders', task: 3, epoch: 17 });
  report.onRequest({ requestId: 'r-1', method: 'GET', route: '/state/:step/:key', status: 404, ms: 2 });
  report.onWarning('task 3 failed and is restored from its checkpoint', { task: 3, epoch: 17 });
  report.onAction('"ada" at 10.0.0.4 (request r-2) pauses the run');
  report.onFailure(
    new MillraceError('sink', 'redis is down', { where: 'online', hint: 'start it', cause: new Error('x') }),
  );
  return err;
}
const logged = (logLevel: Level, style = {}): Record<string, unknown>[] =>
  reported(jsonReport, logLevel, style)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('a run as lines of JSON', () => {
  it('says when, where, how severe and what, with the ids of tasks, epochs and requests', () => {
    const common = { pid: process.pid, hostname: expect.any(String), topology: 'orders' };
    const lines = logged('debug');
    for (const line of lines) expect(line).toMatchObject({ ...common, time: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(lines).toMatchObject([
      { level: 'info', event: 'serving', url: 'http://127.0.0.1:9464' },
      { level: 'debug', event: 'epoch', subtopology: 'orders', task: 3, epoch: 17 },
      { level: 'debug', event: 'request', requestId: 'r-1', route: '/state/:step/:key', status: 404, ms: 2 },
      { level: 'warn', event: 'warning', task: 3, epoch: 17, msg: 'task 3 failed and is restored from its checkpoint' },
      { level: 'info', event: 'audit', msg: '"ada" at 10.0.0.4 (request r-2) pauses the run' },
      { level: 'error', event: 'failed', code: 'sink', where: 'online', hint: 'start it', msg: 'redis is down' },
    ]);
    expect(lines.at(-1)).not.toHaveProperty('stack');
    expect(logged('debug', { verbose: true }).at(-1)?.stack).toMatch(/caused by Error: x/);
  });

  it.each([
    ['info', ['serving', 'warning', 'audit', 'failed']],
    ['warn', ['warning', 'audit', 'failed']],
    ['error', ['audit', 'failed']],
  ] as const)('at level %s has what is as severe, and all actions', (level, events) => {
    expect(logged(level).map(({ event }) => event)).toEqual(events);
  });
});

it('a run as text has the same levels', () => {
  const firstWords = (level: Level) =>
    reported(terminalReport, level)
      .split('\n')
      .map((line) => line.split(/[ :]/)[0])
      .filter((word) => word !== '');
  expect(firstWords('debug')).toEqual(['epoch', 'request', 'warning', 'audit', 'error']);
  expect(firstWords('info')).toEqual(['warning', 'audit', 'error']);
  expect(firstWords('error')).toEqual(['audit', 'error']);
});

describe('millrace run --log-format json', () => {
  const user = userFolder({
    'copy.ts': `
import { json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';

export const copy = topology('copy', { deadLetters: kafka.deadLetterSink({ topic: 'copy.dead' }) }, (t) => {
  t.source('numbers', kafka.source({ topic: 'in', schema: json<{ n: number }>() }))
    .to('out', kafka.sink({ topic: 'out', schema: json<{ n: number }>() }));
});
`,
  });
  afterAll(() => user.remove());
  const { folder } = user;

  it('logs a run from its start to its end, and nothing else', async () => {
    expect((await millrace(['produce', 'in'], { folder, input: '{"n":1}\n{"n":2}\n' })).code).toBe(0);
    const args = ['run', 'copy.ts', '--until-end', '--log-format', 'json'];
    const { code, out, err } = await millrace(args, { folder, env: { MILLRACE_LOG_LEVEL: 'debug' } });
    expect({ code, out }).toEqual({ code: 0, out: '' });
    const lines = err
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual(['starting', 'epoch', 'ended']);
    expect(lines).toMatchObject([
      { level: 'info', profile: 'embedded', hash: expect.stringMatching(/^[0-9a-f]{16}$/), version: '0.1.0' },
      { level: 'debug', subtopology: 'copy', task: 0, epoch: 1 },
      { level: 'info', read: { numbers: 2 }, written: { out: 2 }, deadLetters: {} },
    ]);
  }, 60_000);

  it('logs why a run ends with 1', async () => {
    const env = { MILLRACE_KAFKA: '127.0.0.1:1', MILLRACE_LOG_FORMAT: 'json' };
    const { code, out, err } = await millrace(['run', 'copy.ts', '--subtopology', 'none', '--json'], { folder, env });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'config' } }); // as without logs
    expect(JSON.parse(err.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      ...{ level: 'error', event: 'failed', code: 'config', where: 'copy', hint: 'it has: copy' },
      msg: "there is no sub-topology 'none'",
    });
  }, 60_000);
});
