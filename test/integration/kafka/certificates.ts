import { join } from 'node:path';
import { runToEnd, writeText } from '../../../stack/tools.js';

/**
 * Makes, in a folder, an authority and what it signs: `ca.pem`, `broker.pem` (key and certificate, for `localhost` and
 * 127.0.0.1), `client.crt` and `client.key` (encrypted with `client-key-pass`), and `other-ca.pem` of another authority.
 */
export async function makeCertificates(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => runToEnd('openssl', args);
  const authority = (name: string) =>
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', `/CN=${name}`, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)],
    );
  await Promise.all([authority('ca'), authority('other-ca')]);
  const sign = async (name: string, extensions: string) => {
    await writeText(at(`${name}.ext`), extensions);
    await openssl(
      ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', `/CN=${name}`],
      ...['-keyout', at(`${name}.clear`), '-out', at(`${name}.csr`)],
    );
    await openssl(
      ...['x509', '-req', '-in', at(`${name}.csr`), '-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial'],
      ...['-days', '2', '-extfile', at(`${name}.ext`), '-out', at(`${name}.crt`)],
    );
  };
  await sign('broker', 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await sign('client', 'extendedKeyUsage=clientAuth\n');
  const read = async (name: string) => (await import('node:fs/promises')).readFile(at(name), 'utf8');
  await writeText(at('broker.pem'), (await read('broker.clear')) + (await read('broker.crt')));
  await openssl(
    ...['pkcs8', '-topk8', '-in', at('client.clear'), '-out', at('client.key'), '-passout', 'pass:client-key-pass'],
  );
}
