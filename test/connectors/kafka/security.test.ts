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
});
