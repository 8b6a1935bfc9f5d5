import { choice, optional, sealed, text, wholeNumber } from '../connect/setting.js';

/** How a Kafka cluster and a registry are reached that do not let everybody in. Files are read anew for each connection. */
export const clusterSettings = {
  kafkaClientId: text(
    {
      env: 'MILLRACE_KAFKA_CLIENT_ID',
      fallback: 'millrace',
      description: 'What brokers call this client, in logs and quotas.',
    },
    'name',
  ),
  kafkaRack: optional(
    {
      env: 'MILLRACE_KAFKA_RACK',
      description: 'Where this process is, as in `broker.rack`: inputs are then read from the closest replica.',
    },
    'name',
  ),
  kafkaCompression: choice(
    {
      env: 'MILLRACE_KAFKA_COMPRESSION',
      fallback: 'none',
      description: 'Of changelogs, topics between subtopologies, and sinks that name no `compression`.',
    },
    ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  ),
  kafkaReplication: wholeNumber(
    {
      env: 'MILLRACE_KAFKA_REPLICATION',
      fallback: 0,
      description: "Replicas of topics that are created and say nothing else; 0 takes the brokers' default.",
    },
    0,
    100,
  ),
  kafkaTls: choice(
    { env: 'MILLRACE_KAFKA_TLS', fallback: 'no', description: 'Whether brokers are spoken to by TLS.' },
    ['no', 'yes'],
  ),
  kafkaCa: optional(
    {
      env: 'MILLRACE_KAFKA_CA',
      description: "PEM file of who signs the brokers' certificates; without it those that Node trusts.",
    },
    'file',
  ),
  kafkaCert: optional({ env: 'MILLRACE_KAFKA_CERT', description: "PEM file of this client's certificate." }, 'file'),
  kafkaKey: optional({ env: 'MILLRACE_KAFKA_KEY', description: 'PEM file of its private key.' }, 'file'),
  kafkaKeyPassphrase: sealed({
    env: 'MILLRACE_KAFKA_KEY_PASSPHRASE',
    description: 'What the private key is encrypted with.',
  }),
  kafkaServerName: optional(
    {
      env: 'MILLRACE_KAFKA_SERVER_NAME',
      description: "The name in the brokers' certificates, where it is not the one in their addresses.",
    },
    'name',
  ),
  kafkaSasl: choice({ env: 'MILLRACE_KAFKA_SASL', fallback: 'none', description: 'How to log in at the brokers.' }, [
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
    { env: 'MILLRACE_KAFKA_TOKEN_FILE', description: 'A file that holds the token; others may renew it.' },
    'file',
  ),
  kafkaTokenUrl: optional(
    {
      env: 'MILLRACE_KAFKA_TOKEN_URL',
      description: 'Endpoint that gives tokens for client credentials (OAuth 2.0), for `oauthbearer`.',
    },
    'URL',
  ),
  kafkaTokenClient: optional(
    { env: 'MILLRACE_KAFKA_TOKEN_CLIENT', description: 'Client id at that endpoint.' },
    'name',
  ),
  kafkaTokenSecret: sealed({ env: 'MILLRACE_KAFKA_TOKEN_SECRET', description: 'Its secret.' }),
  kafkaTokenSecretFile: optional(
    { env: 'MILLRACE_KAFKA_TOKEN_SECRET_FILE', description: 'A file that holds the secret.' },
    'file',
  ),
  kafkaTokenScope: optional({ env: 'MILLRACE_KAFKA_TOKEN_SCOPE', description: 'Scope to ask for.' }, 'text'),
  registryUser: optional(
    { env: 'MILLRACE_REGISTRY_USER', description: 'User at the schema registry (basic authentication).' },
    'name',
  ),
  registryPassword: sealed({ env: 'MILLRACE_REGISTRY_PASSWORD', description: 'Its password.' }),
  registryPasswordFile: optional(
    { env: 'MILLRACE_REGISTRY_PASSWORD_FILE', description: 'A file that holds the password.' },
    'file',
  ),
  registryToken: sealed({ env: 'MILLRACE_REGISTRY_TOKEN', description: 'Bearer token for the schema registry.' }),
  registryTokenFile: optional(
    { env: 'MILLRACE_REGISTRY_TOKEN_FILE', description: 'A file that holds the token.' },
    'file',
  ),
} as const;
