import { describe, expect, it } from 'vitest';
import { explain, isPassing } from '../../../connectors/redis/server/errors.js';

const where = 'redis://127.0.0.1:6379';
const told = (text: string, code: 'sink' | 'source' = 'sink', at = where) =>
  explain(new Error(text), 'cannot', at, code);

describe('what Redis refuses', () => {
  it.each([
    "NOPERM this user has no permissions to run the 'multi' command",
    "EXECABORT Transaction discarded because of: NOPERM this user has no permissions to run the 'exec' command",
  ])('to this user stays refused: %s', (text) => {
    expect(isPassing(new Error(text))).toBe(false);
    expect(told(text)).toMatchObject({ permanent: true, hint: expect.stringContaining('EVALSHA') });
    expect(told(text, 'source')).toMatchObject({ permanent: true, hint: expect.stringContaining('XRANGE') });
  });

  it('within a script is no riddle either', () => {
    const text = "ERR The user executing the script can't run this command or subcommand";
    expect(told(text).hint).toContain('EVALSHA');
  });

  it('while slots move is asked for again', () => {
    expect(isPassing(new Error('EXECABORT Transaction discarded because of previous errors.'))).toBe(true);
  });

  it('says of a server that is silent by TLS that it may not speak it', () => {
    expect(told('connect ETIMEDOUT', 'sink', 'rediss://127.0.0.1:6379').hint).toContain('By TLS?');
    expect(told('connect ETIMEDOUT').hint).not.toContain('TLS');
  });
});
