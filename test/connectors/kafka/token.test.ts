import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clientCredentials, NoToken } from '../../../connectors/kafka/connection/token.js';

const asked: { readonly authorization: string | null; readonly body: string }[] = [];
let answer: () => Response | Promise<Response>;
let nowMs = 1_000_000;
beforeEach(() => {
  asked.length = 0;
  vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (_url, init) => {
    asked.push({ authorization: new Headers(init?.headers).get('authorization'), body: String(init?.body) });
    return answer();
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

const json = (body: unknown, status = 200) => Response.json(body, { status });
const options = { url: 'https://user:secret@login.example/token?key=secret', clientId: 'me:too', clientSecret: 's e' };

describe('a token by client credentials', () => {
  it('is asked for by id and secret, and with the scope where there is one', async () => {
    answer = () => json({ access_token: 'a', expires_in: 100 });
    expect(await clientCredentials(options)()).toBe('a');
    const basic = Buffer.from('me%3Atoo:s%20e').toString('base64');
    expect(asked).toEqual([{ authorization: `Basic ${basic}`, body: 'grant_type=client_credentials' }]);
    await clientCredentials({ ...options, scope: 'kafka', clientSecret: async () => 's e' })();
    expect(asked[1]).toEqual({ authorization: `Basic ${basic}`, body: 'grant_type=client_credentials&scope=kafka' });
  });

  it('is used for four fifths of its life', async () => {
    let n = 0;
    answer = () => json({ access_token: `t${++n}`, expires_in: 100 });
    const token = clientCredentials(options);
    expect(await Promise.all([token(), token()])).toEqual(['t1', 't1']);
    nowMs += 79_999;
    expect(await token()).toBe('t1');
    nowMs += 1;
    expect(await Promise.all([token(), token()])).toEqual(['t2', 't2']);
  });

  it('without a life is used once', async () => {
    let n = 0;
    answer = () => json({ access_token: `t${++n}` });
    const token = clientCredentials(options);
    expect([await token(), await token()]).toEqual(['t1', 't2']);
  });

  it('is asked for again after a failure that may pass', async () => {
    const token = clientCredentials(options);
    for (const status of [500, 503, 429]) {
      answer = () => json({}, status);
      const failure = await token().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(NoToken);
      expect(String(failure)).toContain(`https://login.example/token gives no token: status ${status}`);
    }
    answer = () => Promise.reject(new Error('refused'));
    await expect(token()).rejects.toThrow('https://login.example/token gives no token: refused');
    answer = () => json({ access_token: 'a', expires_in: 100 });
    expect(await token()).toBe('a');
  });

  it('that is refused is said to be, without the secrets of the address', async () => {
    for (const [body, status, text] of [
      [{ error: 'invalid_client' }, 401, 'status 401: invalid_client'],
      [{}, 499, 'status 499'],
      [{ access_token: 7 }, 200, 'status 200'],
    ] as const) {
      answer = () => json(body, status);
      const failure = await clientCredentials(options)().catch((error: unknown) => error);
      expect(failure).toMatchObject({
        code: 'config',
        where: 'https://login.example/token',
        message: expect.stringContaining(`(${text})`),
      });
      expect(JSON.stringify(failure)).not.toMatch(/user|key=/);
    }
    answer = () => new Response('<html>', { status: 200 });
    await expect(clientCredentials(options)()).rejects.toMatchObject({ code: 'config' });
    await expect(clientCredentials({ ...options, url: 'nowhere' })()).rejects.toMatchObject({
      where: 'the token endpoint',
    });
  });
});
