import { describe, expect, it } from 'vitest';
import { text } from '../../src/connect/setting.js';
import { type Setting, variableOf } from '../../src/core/connector.js';
import { allSettings, configHelp, defineConfig, resolveConfig } from '../../src/profiles/config.js';
import { profileSettings } from '../../src/profiles/settings.js';
import { connectors } from '../connector-kinds.js';
import { configTable } from '../docs/tables.js';

const settings = allSettings(connectors);
const settingNames = Object.keys(settings);
const setting = (name: string) => settings[name] as Setting<unknown>;

/** The values of every setting, of profiles and connectors. */
const valuesOf = (sources: Parameters<typeof resolveConfig>[0]): Readonly<Record<string, unknown>> =>
  resolveConfig({ ...sources, connectors }).valuesOf(settings);

const file = (values: Record<string, unknown>) => ({ path: 'millrace.config.ts', values });

describe('resolveConfig', () => {
  it('has defaults that need nothing installed and listen on loopback', () => {
    expect(valuesOf({})).toEqual({
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
      inFlightBytesMax: 268_435_456,
      inferenceWorkers: 1,
      inferenceIsolation: 'thread',
      inferenceMemoryMax: 0,
      inferencePrice: 0,
      inferenceCacheSeconds: 0,
      host: '127.0.0.1',
      port: 0,
      logFormat: 'text',
      logLevel: 'info',
      allowActions: 'off',
      showValues: 'off',
      traceShare: 0.001,
      kafkaClientId: 'millrace',
      kafkaCompression: 'none',
      kafkaReplication: 0,
      kafkaTls: 'no',
      kafkaSasl: 'none',
      ...Object.fromEntries(settingNames.filter((name) => setting(name).fallback === '').map((name) => [name, ''])),
    });
  });

  it('has defaults that its own parsers accept', () => {
    for (const name of settingNames) {
      const { parse, fallback } = setting(name);
      expect(parse(fallback as string)).toEqual(fallback);
    }
  });

  it('prefers an option to the environment, that to the file, that to the default', () => {
    const layers = {
      flags: { data: 'from-flag' },
      env: { MILLRACE_DATA: 'from-env', MILLRACE_KAFKA: 'env:1' },
      file: file({ data: 'from-file', kafka: 'file:1', port: 9464 }),
    };
    expect(valuesOf(layers)).toMatchObject({ data: 'from-flag', kafka: 'env:1', port: 9464, host: '127.0.0.1' });
  });

  it('takes an empty variable for one that is not set', () => {
    expect(resolveConfig({ env: { MILLRACE_PROFILE: '' } }).profile).toBe('embedded');
  });

  it('reports everything that is wrong at once, naming the place', () => {
    const wrong = () =>
      valuesOf({
        flags: { port: 70_000 },
        env: { MILLRACE_KAFKA: 'http://broker:9092', MILLRACE_PROFILE: 'moon' },
        file: file({ brokers: 'a:1', host: '' }),
      });
    expect(wrong).toThrowError(
      'millrace.config.ts sets "brokers", which is not a setting; ' +
        'MILLRACE_PROFILE must be one of embedded, cluster, not "moon"; ' +
        'host in millrace.config.ts must be some address, not ""; ' +
        '--port must be a whole number from 0 to 65535, not 70000; ' +
        'MILLRACE_KAFKA must be host:port, several separated by commas, without a protocol, not "http://broker:9092"',
    );
  });

  it('never prints a value that may hold a password', () => {
    const secret = 'ftp://user:hunter2@host';
    for (const name of settingNames) {
      const { secret: isSecret, sealed } = setting(name);
      const env = variableOf(name);
      if (!isSecret || sealed) continue;
      expect(() => valuesOf({ env: { [env]: secret } })).toThrowError(new RegExp(`^${env} must be`));
      expect(() => valuesOf({ env: { [env]: secret } })).not.toThrowError(/hunter2/);
    }
    expect(['redis', 'clickhouse', 'registry'].every((name) => setting(name).secret)).toBe(true);
  });

  it('says how a password is written in a URL where one breaks it', () => {
    const env = { MILLRACE_REDIS: 'redis://app:p@ss:w/#%@host:6379' };
    expect(() => valuesOf({ env })).toThrowError(/write \/ \? # @ : % as %2F/);
    expect(() => valuesOf({ env })).not.toThrowError(/p@ss/);
  });

  it('takes secrets from the environment alone, and says where they may come from', () => {
    const sealed = settingNames.filter((name) => setting(name).sealed);
    expect(sealed.sort()).toEqual([
      'alertWebhook',
      'deadLetterKey',
      'kafkaKeyPassphrase',
      'kafkaPassword',
      'kafkaToken',
      'kafkaTokenSecret',
      'redisPassword',
      'registryPassword',
      'registryToken',
      'token',
      'traceHeaders',
    ]);
    for (const name of sealed) {
      const { secret } = setting(name);
      const env = variableOf(name);
      expect(secret).toBe(true);
      expect(valuesOf({ env: { [env]: 'hunter2' } })[name]).toBe('hunter2');
      for (const from of [{ file: file({ [name]: 'hunter2' }) }, { flags: { [name]: 'hunter2' } }]) {
        expect(() => valuesOf(from)).toThrowError(`is a secret and must not be in this file: set ${env}`);
        expect(() => valuesOf(from)).not.toThrowError(/hunter2/);
      }
    }
    expect(() => valuesOf({ file: file({ kafkaPassword: 'hunter2' }) })).toThrowError(
      'kafkaPassword in millrace.config.ts is a secret and must not be in this file: ' +
        'set MILLRACE_KAFKA_PASSWORD, or name a file with kafkaPasswordFile',
    );
  });

  it('refuses values of another type', () => {
    expect(() => valuesOf({ file: file({ kafka: ['a:1'] }) })).toThrowError(/^kafka in millrace.config.ts must be/);
    const price = (of: string) => valuesOf({ env: { MILLRACE_INFERENCE_PRICE: of } }).inferencePrice;
    expect([price('0.045'), price('12'), price('1e-3')]).toEqual([0.045, 12, 0.001]);
    for (const wrong of ['-1', 'much', 'Infinity', ' '])
      expect(() => price(wrong)).toThrowError(/^MILLRACE_INFERENCE_PRICE must be a number from 0/);
  });

  it('accepts several brokers, and credentials in URLs', () => {
    const config = valuesOf({
      env: { MILLRACE_KAFKA: 'a:9092, b:9092', MILLRACE_REDIS: 'rediss://:secret@cache:6380/1' },
    });
    expect(config).toMatchObject({ kafka: 'a:9092, b:9092', redis: 'rediss://:secret@cache:6380/1' });
  });

  it('types a configuration file', () => {
    expect(defineConfig({ profile: 'cluster' })).toEqual({ profile: 'cluster' });
    // @ts-expect-error no such profile
    defineConfig({ profile: 'moon' });
    // @ts-expect-error a setting is text or a number
    defineConfig({ redis: true });
  });

  it('reads settings of a connector from outside from the same places, and knows their names where it is told of it', () => {
    const outside = { sqliteFile: text('file', 'a.db', 'The file.') };
    const sources = { env: { MILLRACE_SQLITE_FILE: 'env.db' }, file: file({ sqliteFile: 'file.db' }) };
    expect(resolveConfig(sources).valuesOf(outside)).toEqual({ sqliteFile: 'env.db' });
    expect(resolveConfig({ file: sources.file }).valuesOf(outside)).toEqual({ sqliteFile: 'file.db' });
    expect(() => resolveConfig({ ...sources, connectors })).toThrowError('sets "sqliteFile", which is not a setting');
    expect(resolveConfig({ ...sources, connectors: [...connectors, { settings: outside }] }).profile).toBe('embedded');
  });

  it('prints every setting in help and table', () => {
    expect(settingNames).toEqual(expect.arrayContaining([...Object.keys(profileSettings), 'redis', 's3', 'kafkaTls']));
    for (const name of settingNames) {
      const { sealed } = setting(name);
      const env = variableOf(name);
      expect(configHelp(settings)).toContain(env);
      // What only the environment may hold has no name in the file.
      expect(configTable(settings)).toContain(`| ${sealed ? '' : `\`${name}\``} | \`${env}\` |`);
    }
  });
});
