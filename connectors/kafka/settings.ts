import { brokers, choice, optional, sealed, text, wholeNumber } from '../../src/connect/setting.js';
import type { SettingValues } from '../../src/core/connector.js';

/** The connection to a Kafka cluster. Files are read for each new connection. */
export const settings = {
  kafka: brokers({
    env: 'MILLRACE_KAFKA',
    fallback: '127.0.0.1:9092',
    description: 'Kafka brokers of the cluster profile.',
  }),
  kafkaClientId: text(
    {
      env: 'MILLRACE_KAFKA_CLIENT_ID',
      fallback: 'millrace',
      description: 'Client id, for logs and quotas of the brokers.',
    },
    'name',
  ),
  kafkaRack: optional(
    {
      env: 'MILLRACE_KAFKA_RACK',
      description: 'Rack of this process, as in `broker.rack`: inputs are read from the closest replica.',
    },
    'name',
  ),
  kafkaCompression: choice(
    {
      env: 'MILLRACE_KAFKA_COMPRESSION',
      fallback: 'none',
      description: 'Compression of changelogs, repartition topics, and sinks without `compression`.',
    },
    ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  ),
  kafkaReplication: wholeNumber(
    {
      env: 'MILLRACE_KAFKA_REPLICATION',
      fallback: 0,
      description: "Replication factor of created topics without a declaration; 0 uses the brokers' default.",
    },
    0,
    100,
  ),
  kafkaTls: choice(
    { env: 'MILLRACE_KAFKA_TLS', fallback: 'no', description: 'Whether to connect to brokers by TLS.' },
    ['no', 'yes'],
  ),
  kafkaCa: optional(
    {
      env: 'MILLRACE_KAFKA_CA',
      description: "PEM file of the CA of the brokers' certificates (default: the CAs that Node trusts).",
    },
    'file',
  ),
  kafkaCert: optional({ env: 'MILLRACE_KAFKA_CERT', description: 'PEM file of the client certificate.' }, 'file'),
  kafkaKey: optional({ env: 'MILLRACE_KAFKA_KEY', description: 'PEM file of the private key of the client.' }, 'file'),
  kafkaKeyPassphrase: sealed({
    env: 'MILLRACE_KAFKA_KEY_PASSPHRASE',
    description: 'Passphrase of the private key.',
  }),
  kafkaServerName: optional(
    {
      env: 'MILLRACE_KAFKA_SERVER_NAME',
      description: "Name in the brokers' certificates, if it differs from their addresses.",
    },
    'name',
  ),
  kafkaSasl: choice({ env: 'MILLRACE_KAFKA_SASL', fallback: 'none', description: 'SASL mechanism of the brokers.' }, [
    'none',
    'plain',
    'scram-sha-256',
    'scram-sha-512',
    'oauthbearer',
  ]),
  kafkaUser: optional({ env: 'MILLRACE_KAFKA_USER', description: 'User, for `plain` and `scram-sha-*`.' }, 'name'),
  kafkaPassword: sealed({ env: 'MILLRACE_KAFKA_PASSWORD', description: 'Its password.' }),
  kafkaPasswordFile: optional(
    { env: 'MILLRACE_KAFKA_PASSWORD_FILE', description: 'A file that holds the password.' },
    'file',
  ),
  kafkaToken: sealed({ env: 'MILLRACE_KAFKA_TOKEN', description: 'Token, for `oauthbearer`.' }),
  kafkaTokenFile: optional(
    { env: 'MILLRACE_KAFKA_TOKEN_FILE', description: 'File with the token; it may be renewed while a topology runs.' },
    'file',
  ),
  kafkaTokenUrl: optional(
    {
      env: 'MILLRACE_KAFKA_TOKEN_URL',
      description: 'Token endpoint (OAuth 2.0 client credentials), for `oauthbearer`.',
    },
    'URL',
  ),
  kafkaTokenClient: optional(
    { env: 'MILLRACE_KAFKA_TOKEN_CLIENT', description: 'Client id for the token endpoint.' },
    'name',
  ),
  kafkaTokenSecret: sealed({ env: 'MILLRACE_KAFKA_TOKEN_SECRET', description: 'Its secret.' }),
  kafkaTokenSecretFile: optional(
    { env: 'MILLRACE_KAFKA_TOKEN_SECRET_FILE', description: 'A file that holds the secret.' },
    'file',
  ),
  kafkaTokenScope: optional({ env: 'MILLRACE_KAFKA_TOKEN_SCOPE', description: 'Scope of the token.' }, 'text'),
} as const;

export type KafkaSettings = SettingValues<typeof settings>;
