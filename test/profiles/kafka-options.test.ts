import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { kafkaOptions } from '../../connectors/kafka/reached-by.js';
import { settings } from '../../connectors/kafka/settings.js';
import { resolveConfig } from '../../src/profiles/config.js';
import { registryOptions } from '../../src/profiles/registry-options.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-options-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

type Env = Readonly<Record<string, string>>;
const kafka = (env: Env) => kafkaOptions(resolveConfig({ env }).valuesOf(settings));

describe('kafkaOptions', () => {
  it('speak in the clear to brokers that ask for nothing, by default', () => {
    expect(kafka({ MILLRACE_KAFKA: 'a:1, b:2' })).toEqual({
      brokers: ['a:1', 'b:2'],
      clientId: 'millrace',
      compression: 'none',
    });
  });

  it('read secrets and certificates when they are needed, as they are then', async () => {
    const path = file('password', 'first\n');
    const { tls, sasl } = kafka({
      MILLRACE_KAFKA_TLS: 'yes',
      MILLRACE_KAFKA_CA: file('ca.pem', 'CA'),
      MILLRACE_KAFKA_SASL: 'scram-sha-512',
      MILLRACE_KAFKA_USER: 'alice',
      MILLRACE_KAFKA_PASSWORD_FILE: path,
    });
    expect(await (tls as { ca: () => Promise<string> }).ca()).toBe('CA');
    expect(sasl).toMatchObject({ mechanism: 'scram-sha-512', username: 'alice' });
    const { password } = sasl as { password: () => Promise<string> };
    expect(await password()).toBe('first');
    writeFileSync(path, 'second');
    expect(await password()).toBe('second');
    rmSync(path);
    await expect(password()).rejects.toMatchObject({ code: 'config', where: 'kafkaPasswordFile' });
  });

  const sasl = { MILLRACE_KAFKA_SASL: 'plain' };
  const oauth = { MILLRACE_KAFKA_SASL: 'oauthbearer' };
  const url = { ...oauth, MILLRACE_KAFKA_TOKEN_URL: 'https://login.example/token' };
  it.each<[Env, string, string, RegExp]>([
    [{ MILLRACE_KAFKA_CA: 'ca.pem' }, 'kafkaCa', 'it has no effect without TLS', /kafkaTls/],
    [{ MILLRACE_KAFKA_TLS: 'yes', MILLRACE_KAFKA_CERT: 'c' }, 'kafkaCert', 'kafkaKey is missing', /both/],
    [{ MILLRACE_KAFKA_USER: 'alice' }, 'kafkaUser', 'it has no effect without a SASL mechanism', /kafkaSasl/],
    [sasl, 'kafkaSasl', 'kafkaUser is missing', /user/],
    [{ ...sasl, MILLRACE_KAFKA_USER: 'a' }, 'kafkaSasl', 'kafkaPassword is missing', /MILLRACE_KAFKA_PASSWORD, or/],
    [
      { ...sasl, MILLRACE_KAFKA_USER: 'a', MILLRACE_KAFKA_PASSWORD: 's3cret', MILLRACE_KAFKA_PASSWORD_FILE: 'f' },
      'kafkaPasswordFile',
      'kafkaPassword is set too',
      /only one of the two/,
    ],
    [oauth, 'kafkaSasl', 'kafkaToken is missing', /MILLRACE_KAFKA_TOKEN, or/],
    [url, 'kafkaTokenUrl', 'kafkaTokenClient is missing', /client id/],
    [{ ...url, MILLRACE_KAFKA_TOKEN_CLIENT: 'c' }, 'kafkaTokenUrl', 'kafkaTokenSecret is missing', /SECRET, or/],
    [{ ...url, MILLRACE_KAFKA_TOKEN: 's3cret' }, 'kafkaTokenUrl', 'a token is set too', /only one of the two/],
  ])('refuse %j', (env, where, message, hint) => {
    expect(() => kafka(env)).toThrowError(
      expect.objectContaining({ code: 'config', where, message, hint: expect.stringMatching(hint) }),
    );
    expect(() => kafka(env)).not.toThrowError(/s3cret/);
  });
});

describe('registryOptions', () => {
  const registry = (env: Env) => registryOptions(resolveConfig({ env: { MILLRACE_REGISTRY: 'http://r:1', ...env } }));

  it('log in by a password or by a token', async () => {
    expect(await registry({})).toEqual({ url: 'http://r:1' });
    expect(await registry({ MILLRACE_REGISTRY_USER: 'alice', MILLRACE_REGISTRY_PASSWORD: 'secret' })).toEqual({
      url: 'http://r:1',
      auth: { username: 'alice', password: 'secret' },
    });
    expect(await registry({ MILLRACE_REGISTRY_TOKEN_FILE: file('token', 'abc\n') })).toEqual({
      url: 'http://r:1',
      auth: { token: 'abc' },
    });
  });

  it('refuse half of a login, and two of them', async () => {
    await expect(registry({ MILLRACE_REGISTRY_USER: 'alice' })).rejects.toThrowError('registryPassword is missing');
    const both = { MILLRACE_REGISTRY_USER: 'alice', MILLRACE_REGISTRY_PASSWORD: 'p', MILLRACE_REGISTRY_TOKEN: 't' };
    await expect(registry(both)).rejects.toThrowError('a token is set too');
  });
});
