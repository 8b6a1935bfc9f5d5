import { brokers, choice, optional, sealed, text, wholeNumber } from '../../src/connect/setting.js';
import type { SettingValues } from '../../src/core/connector.js';

/** The connection to a Kafka cluster. Files are read for each new connection. */
export const settings = {
  kafka: brokers('127.0.0.1:9092', 'Kafka brokers of the cluster profile.'),
  kafkaClientId: text('name', 'millrace', 'Client id, for logs and quotas of the brokers.'),
  kafkaRack: optional('name', 'Rack of this process, as in `broker.rack`: inputs are read from the closest replica.'),
  kafkaCompression: choice(
    ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    'none',
    'Compression of changelogs, repartition topics, and sinks without `compression`.',
  ),
  kafkaReplication: wholeNumber(
    0,
    100,
    0,
    "Replication factor of created topics without a declaration; 0 uses the brokers' default.",
  ),
  kafkaTls: choice(['no', 'yes'], 'no', 'Whether to connect to brokers by TLS.'),
  kafkaCa: optional('file', "PEM file of the CA of the brokers' certificates (default: the CAs that Node trusts)."),
  kafkaCert: optional('file', 'PEM file of the client certificate.'),
  kafkaKey: optional('file', 'PEM file of the private key of the client.'),
  kafkaKeyPassphrase: sealed('Passphrase of the private key.'),
  kafkaServerName: optional('name', "Name in the brokers' certificates, if it differs from their addresses."),
  kafkaSasl: choice(
    ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
    'none',
    'SASL mechanism of the brokers.',
  ),
  kafkaUser: optional('name', 'User, for `plain` and `scram-sha-*`.'),
  kafkaPassword: sealed('Its password.'),
  kafkaPasswordFile: optional('file', 'A file that holds the password.'),
  kafkaToken: sealed('Token, for `oauthbearer`.'),
  kafkaTokenFile: optional('file', 'File with the token; it may be renewed while a topology runs.'),
  kafkaTokenUrl: optional('URL', 'Token endpoint (OAuth 2.0 client credentials), for `oauthbearer`.'),
  kafkaTokenClient: optional('name', 'Client id for the token endpoint.'),
  kafkaTokenSecret: sealed('Its secret.'),
  kafkaTokenSecretFile: optional('file', 'A file that holds the secret.'),
  kafkaTokenScope: optional('text', 'Scope of the token.'),
} as const;

export type KafkaSettings = SettingValues<typeof settings>;
