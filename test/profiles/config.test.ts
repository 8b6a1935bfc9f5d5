import { describe, expect, it } from 'vitest';
import type { Setting } from '../../src/core/connector.js';
import { configHelp, configTable, defineConfig, resolveConfig } from '../../src/profiles/config.js';
import { settingNames, settings } from '../../src/profiles/settings.js';

const file = (values: Record<string, unknown>) => ({ path: 'millrace.config.ts', values });

describe('resolveConfig', () => {
  it('has defaults that need nothing installed and listen on loopback', () => {
    expect(resolveConfig({})).toEqual({
      profile: 'embedded',
      data: '.millrace/data',
      kafka: '127.0.0.1:9092',
      standbys: 0,
      postgres: 'postgres://127.0.0.1:5432/postgres',
      s3: 'http://127.0.0.1:9000',
      stallSeconds: 60,
      registry: 'http://127.0.0.1:8081/apis/ccompat/v7',
      redis: 'redis://127.0.0.1:6379',
      clickhouse: 'http://127.0.0.1:8123',
      host: '127.0.0.1',
      port: 0,
      kafkaClientId: 'millrace',
      kafkaCompression: 'none',
      kafkaReplication: 0,
      kafkaTls: 'no',
      kafkaSasl: 'none',
      ...Object.fromEntries(settingNames.filter((name) => settings[name].fallback === '').map((name) => [name, ''])),
    });
  });

  it('has defaults that its own parsers accept', () => {
    for (const name of settingNames) {
      const setting: Setting<unknown> = settings[name];
      expect(setting.parse(setting.fallback as string)).toEqual(setting.fallback);
    }
  });

  it('prefers an option to the environment, that to the file, that to the default', () => {
    const layers = {
      flags: { data: 'from-flag' },
      env: { MILLRACE_DATA: 'from-env', MILLRACE_KAFKA: 'env:1' },
      file: file({ data: 'from-file', kafka: 'file:1', port: 9464 }),
    };
    expect(resolveConfig(layers)).toMatchObject({ data: 'from-flag', kafka: 'env:1', port: 9464, host: '127.0.0.1' });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(resolveConfig({ env: { MILLRACE_PROFILE: '' } }).profile).toBe('embedded');
  });

  it('reports everything that is wrong at once, naming the place', () => {
    const wrong = () =>
      resolveConfig({
        flags: { port: 70_000 },
        env: { MILLRACE_KAFKA: 'http://broker:9092', MILLRACE_PROFILE: 'moon' },
        file: file({ brokers: 'a:1', host: '' }),
      });
    expect(wrong).toThrowError(
      'millrace.config.ts sets "brokers", which is not a setting; ' +
        'MILLRACE_PROFILE must be one of embedded, cluster, not "moon"; ' +
        'MILLRACE_KAFKA must be host:port, several separated by commas, without a protocol, not "http://broker:9092"; ' +
        'host in millrace.config.ts must be some address, not ""; ' +
        '--port must be a whole number from 0 to 65535, not 70000',
    );
  });

  it('never prints a value that may hold a password', () => {
    const secret = 'ftp://user:hunter2@host';
    for (const name of settingNames) {
      const setting: Setting<unknown> = settings[name];
      if (!setting.secret || setting.sealed) continue;
      expect(() => resolveConfig({ env: { [setting.env]: secret } })).toThrowError(
        new RegExp(`^${setting.env} must be`),
      );
      expect(() => resolveConfig({ env: { [setting.env]: secret } })).not.toThrowError(/hunter2/);
    }
    expect(settings.redis.secret && settings.clickhouse.secret && settings.registry.secret).toBe(true);
  });

  it('says how a password is written in a URL where one breaks it', () => {
    const env = { MILLRACE_REDIS: 'redis://app:p@ss:w/#%@host:6379' };
    expect(() => resolveConfig({ env })).toThrowError(/write \/ \? # @ : % as %2F/);
    expect(() => resolveConfig({ env })).not.toThrowError(/p@ss/);
  });

  it('takes secrets from the environment alone, and says where they may come from', () => {
    const sealed = settingNames.filter((name) => (settings[name] as Setting<unknown>).sealed);
    expect(sealed).toEqual([
      'token',
      'kafkaKeyPassphrase',
      'kafkaPassword',
      'kafkaToken',
      'kafkaTokenSecret',
      'registryPassword',
      'registryToken',
      'redisPassword',
    ]);
    for (const name of sealed) {
      expect(settings[name].secret).toBe(true);
      expect(resolveConfig({ env: { [settings[name].env]: 'hunter2' } })[name]).toBe('hunter2');
      for (const from of [{ file: file({ [name]: 'hunter2' }) }, { flags: { [name]: 'hunter2' } }]) {
        expect(() => resolveConfig(from)).toThrowError(
          `is a secret and must not be in this file: set ${settings[name].env}`,
        );
        expect(() => resolveConfig(from)).not.toThrowError(/hunter2/);
      }
    }
    expect(() => resolveConfig({ file: file({ kafkaPassword: 'hunter2' }) })).toThrowError(
      'kafkaPassword in millrace.config.ts is a secret and must not be in this file: ' +
        'set MILLRACE_KAFKA_PASSWORD, or name a file with kafkaPasswordFile',
    );
  });

  it('refuses values of another type', () => {
    expect(() => resolveConfig({ file: file({ kafka: ['a:1'] }) })).toThrowError(
      /^kafka in millrace.config.ts must be/,
    );
  });

  it('accepts several brokers, and credentials in URLs', () => {
    const config = resolveConfig({
      env: { MILLRACE_KAFKA: 'a:9092, b:9092', MILLRACE_REDIS: 'rediss://:secret@cache:6380/1' },
    });
    expect(config).toMatchObject({ kafka: 'a:9092, b:9092', redis: 'rediss://:secret@cache:6380/1' });
  });

  it('types a configuration file', () => {
    expect(defineConfig({ profile: 'cluster' })).toEqual({ profile: 'cluster' });
    // @ts-expect-error no such profile
    defineConfig({ profile: 'moon' });
    // @ts-expect-error no such setting
    defineConfig({ brokers: 'a:1' });
    // @ts-expect-error a secret
    defineConfig({ kafkaPassword: 'hunter2' });
  });

  it('prints every setting in help and table', () => {
    for (const name of settingNames) {
      expect(configHelp()).toContain(settings[name].env);
      // What only the environment may hold has no name in the file.
      const named = (settings[name] as Setting<unknown>).sealed ? '' : `\`${name}\``;
      expect(configTable()).toContain(`| ${named} | \`${settings[name].env}\` |`);
    }
  });
});
