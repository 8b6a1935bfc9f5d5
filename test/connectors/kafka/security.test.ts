import { describe, expect, it } from 'vitest';
import { connectionOptions } from '../../../connectors/kafka/connection/security.js';

const of = (security: Parameters<typeof connectionOptions>[0], host: string) =>
  connectionOptions(security, host, () => undefined);

describe('the options of a connection', () => {
  it('have nothing of TLS or SASL without them', async () => {
    expect(await of({}, 'broker-1')).toEqual({});
  });

  it('name the server by its host, but not by an address, or as the settings say', async () => {
    expect(await of({ tls: {} }, 'broker-1')).toMatchObject({ tlsServerName: 'broker-1' });
    expect(await of({ tls: {} }, '10.0.0.1')).not.toHaveProperty('tlsServerName');
    expect(await of({ tls: { serverName: 'kafka' } }, '10.0.0.1')).toMatchObject({ tlsServerName: 'kafka' });
  });

  it('ask for secrets at each connection', async () => {
    let asked = 0;
    const ca = () => `ca ${++asked}`;
    expect(await of({ tls: { ca } }, 'b')).toMatchObject({ tls: { ca: 'ca 1' } });
    expect(await of({ tls: { ca } }, 'b')).toMatchObject({ tls: { ca: 'ca 2' } });
  });

  it('have the certificate and the key of this client, and what it needs to read them', async () => {
    const tls = { ca: 'ca', certificate: async () => 'cert', key: 'key', passphrase: 'word' };
    expect(await of({ tls }, 'b')).toMatchObject({ tls: { ca: 'ca', cert: 'cert', key: 'key', passphrase: 'word' } });
    expect((await of({ tls: {} }, 'b')).tls).toEqual({});
  });
});

describe('a login', () => {
  type Login = NonNullable<Parameters<typeof connectionOptions>[0]['sasl']>;
  /** What a broker is told, that answers like this; and how the login ends. */
  async function login(
    sasl: Login,
    answer: { readonly authBytes?: Buffer; readonly sessionLifetimeMs?: bigint } | Error,
  ) {
    const sessions: number[] = [];
    const options = await connectionOptions({ sasl }, 'b', (lifetimeMs) => sessions.push(lifetimeMs));
    let told = '';
    const api = (_connection: unknown, bytes: Buffer, callback: (error: Error | null, given?: object) => void) => {
      told = bytes.toString();
      if (answer instanceof Error) callback(answer);
      else callback(null, { authBytes: Buffer.alloc(0), sessionLifetimeMs: 0n, ...answer });
    };
    const ended = await new Promise<readonly [unknown, unknown]>((resolve) => {
      const { authenticate } = options.sasl as { authenticate: (...args: unknown[]) => void };
      authenticate(sasl.mechanism, {}, api, undefined, undefined, undefined, (error: unknown, given: unknown) =>
        resolve([error, given]),
      );
    });
    return { mechanism: options.sasl?.mechanism, told, ended, sessions };
  }
  const plain: Login = { mechanism: 'plain', username: 'ada', password: async () => 'pass' };
  const bearer: Login = { mechanism: 'oauthbearer', token: 'token' };

  it('by user and password says them, and how long it lasts is kept from the client', async () => {
    const { mechanism, told, ended, sessions } = await login(plain, { sessionLifetimeMs: 9_000n });
    expect([mechanism, told, sessions]).toEqual(['PLAIN', '\0ada\0pass', [9_000]]);
    expect(ended).toMatchObject([null, { sessionLifetimeMs: 0n }]);
    expect((await login(plain, new Error('no'))).ended[0]).toMatchObject({ message: 'no' });
    expect((await login(plain, { authBytes: Buffer.from('words') })).ended[0]).toBeNull();
  });

  it('by a token is refused with words and no code', async () => {
    const { mechanism, told, ended } = await login(bearer, {});
    expect([mechanism, ended[0]]).toEqual(['OAUTHBEARER', null]);
    expect(told).toContain('auth=Bearer token');
    expect((await login(bearer, { authBytes: Buffer.from('{"status":"invalid_token"}') })).ended[0]).toMatchObject({
      message: 'the broker refuses the token',
    });
  });

  it.each(['scram-sha-256', 'scram-sha-512'] as const)('by %s begins with the name alone', async (mechanism) => {
    const { told, mechanism: used } = await login({ mechanism, username: 'ada', password: 'pass' }, new Error('no'));
    expect([used, told]).toEqual([mechanism.toUpperCase(), expect.stringMatching(/^n,,n=ada,r=/)]);
  });
});
