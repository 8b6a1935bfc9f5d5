import { describe, expect, it } from 'vitest';
import { main } from '../../src/cli/program.js';

async function call(...args: string[]) {
  let out = '';
  let err = '';
  const code = await main(args, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err };
}

const commands = ['init', 'check', 'describe', 'run', 'produce', 'consume', 'query', 'demo'];

describe('the millrace command', () => {
  it('lists its commands', async () => {
    const { code, out } = await call('--help');
    expect(code).toBe(0);
    for (const name of commands) expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    expect(out).toContain('Examples:');
  });

  it.each(commands)('%s explains itself with examples', async (name) => {
    const { code, out } = await call(name, '--help');
    expect(code).toBe(0);
    expect(out).toContain(`Usage: millrace ${name}`);
    expect(out).toMatch(/Examples:\n( {2}\$ .+\n)+/);
    expect(out).toContain('--json');
  });

  it('prints its version', async () => {
    expect((await call('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
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
  ])('exits with 2 on wrong usage: %j', async (args) => {
    const { code, out, err } = await call(...args);
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(err).not.toBe('');
  });

  it('exits with 1 where a command fails, without a stack', async () => {
    const { code, err } = await call('check', 'no-such-file.ts');
    expect(code).toBe(1);
    expect(err).toBe(
      'error (config): no such file\n  where: no-such-file.ts\n  hint:  give the path of a topology file\n',
    );
  });
});
