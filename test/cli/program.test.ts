import { describe, expect, it } from 'vitest';
import { callMain, startMillrace, userFolder } from './millrace.js';

const groups = {
  dlq: ['list', 'show', 'replay'],
  offsets: ['show', 'reset'],
  savepoint: ['create', 'list', 'restore'],
  schema: ['check', 'register', 'diff', 'types'],
};
const single = ['init', 'check', 'describe', 'plan', 'run', 'status', 'top', 'produce', 'tail', 'query', 'demo'];
const commands = [...single, ...Object.keys(groups)];
const leaves = [
  ...single,
  ...Object.entries(groups).flatMap(([name, below]) => below.map((each) => `${name} ${each}`)),
];

describe('the millrace command', () => {
  it('lists its commands', async () => {
    const { code, out } = await callMain('--help');
    expect(code).toBe(0);
    for (const name of commands) expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(out).toContain('Examples:');
  });

  it.each(Object.entries(groups))('%s lists its commands, with examples', async (name, below) => {
    const { code, out } = await callMain(name, '--help');
    expect(code).toBe(0);
    for (const each of below) expect(out).toMatch(new RegExp(`^ {2}${each} `, 'm'));
    expect(out).toMatch(/Examples:\n( {2}\$ .+\n)+/);
  });

  it.each(leaves)('%s explains itself with examples', async (name) => {
    const { code, out } = await callMain(...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: millrace ${name}`);
    expect(out).toMatch(/Examples:\n( {2}\$ .+\n)+/);
    expect(out).toContain('--json');
  });

  it('prints its version', async () => {
    expect((await callMain('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[]],
    [['frobnicate']],
    [['check']],
    [['check', 'a.ts', '--frobnicate']],
    [['run', 'a.ts', '--profile', 'moon']],
    [['run', 'a.ts', '--port', '80x']],
    [['demo', '--limit', 'many']],
    [['demo', 'superfluous']],
    [['savepoint']],
    [['savepoint', 'restore', 'a', 'b.ts', '--positions', 'middle']],
    [['offsets', 'reset', 'a.ts']],
    [['dlq', 'list']],
  ])('exits with 2 on wrong usage: %j', async (args) => {
    const { code, out, err } = await callMain(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('ends in silence when nobody reads on', async () => {
    const { folder, remove } = userFolder();
    const { process: child, ended } = startMillrace(['--help'], { folder });
    child.stdout.destroy();
    const { code, err } = await ended;
    expect([code, err]).toEqual([0, '']);
    remove();
  });

  it('exits with 1 where a command fails, without a stack', async () => {
    const { code, err } = await callMain('check', 'no-such-file.ts');
    expect(code).toBe(1);
    expect(err).toBe(
      'error (config): no such file\n  where: no-such-file.ts\n  hint:  give the path of a topology file\n',
    );
  });
});
