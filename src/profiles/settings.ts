// One specification of every setting: types, parsing, validation, --help and the tables of the documents all read it. Connectors
// declare their own.

import type { settings as kafkaSettings } from '../../connectors/kafka/settings.js';
import { amount, choice, optional, sealed, share, text, url, wholeNumber } from '../connect/setting.js';
import type { SettingSpecs, SettingValues } from '../core/connector.js';

/** How topologies run, whatever they read and write. */
export const profileSettings = {
  profile: choice(
    ['embedded', 'cluster'],
    'embedded',
    '`embedded`: everything in this process. `cluster`: on Kafka, Redis and ClickHouse.',
  ),
  data: text('folder', '.millrace/data', 'Folder of the embedded profile: logs, state, key-value store and tables.'),
  standbys: wholeNumber(0, 10, 0, 'Standby replicas of the state of each task, for a fast takeover (cluster profile).'),
  registry: url(
    ['http', 'https'],
    'http://127.0.0.1:8081/apis/ccompat/v7',
    "Schema registry of the cluster profile, with Confluent's REST interface.",
  ),
  registryUser: optional('name', 'User of the schema registry (basic authentication).'),
  registryPassword: sealed('Its password.'),
  registryPasswordFile: optional('file', 'A file that holds the password.'),
  registryToken: sealed('Bearer token for the schema registry.'),
  registryTokenFile: optional('file', 'A file that holds the token.'),
  stallSeconds: wholeNumber(
    1,
    86_400,
    60,
    'Time after which an unanswered poll, write, commit or inference counts as hung and its task is restored.',
  ),
  inferenceWorkers: wholeNumber(1, 64, 1, 'Workers that score ONNX models, each on one core and with all models.'),
  inferenceIsolation: choice(
    ['thread', 'process'],
    'thread',
    '`process`: inference workers are processes, which are killed where they hang or crash in native code.',
  ),
  inferenceMemoryMax: wholeNumber(
    0,
    2 ** 50,
    0,
    'Bytes that ONNX models may take in all workers together. Beyond it, those used least are released, and loaded again when needed. 0: no limit.',
  ),
  inferenceTable: optional(
    'table',
    'Table of ClickHouse that gets rows about the batches of ONNX models, every ten seconds; none by default.',
  ),
  inferencePrice: amount(
    0,
    'What an hour of an inference worker costs, in any currency. Rows about batches then have the cost of 1,000 rows.',
  ),
  inferenceHashes: optional(
    'prefix',
    'Prefix of the hashes of Redis that keep the newest of these rows for a minute, such as `inference:`; none by default.',
  ),
  inferenceCacheSeconds: wholeNumber(
    0,
    31_536_000,
    0,
    'How long answers that models remember (`cacheBytesMax`) are kept in Redis for all processes. 0: each process has its own alone.',
  ),
  inFlightBytesMax: wholeNumber(
    1024 * 1024,
    2 ** 40,
    256 * 1024 * 1024,
    'About how many bytes of records, undecoded and decoded, all tasks may hold on their way to the sinks.',
  ),
  host: text('address', '127.0.0.1', 'Address of the metrics and health endpoints.'),
  port: wholeNumber(0, 65_535, 0, 'Port of the metrics and health endpoints; 0 opens none.'),
  allowActions: choice(
    ['off', 'on'],
    'off',
    '`on`: the live page may replay dead letters, and pause, save and stop the run; whoever may open it may do so.',
  ),
  showValues: choice(['off', 'on'], 'off', '`on`: the live page shows details, keys and values of dead letters.'),
  deadLetterKey: sealed("Key of dead letters with `raw: 'encrypt'`: 32 bytes in base64 or hexadecimal digits."),
  alertWebhook: sealed('URL that gets a request (POST, JSON) when an alert of the topology fires or is resolved.'),
  alertTable: optional(
    'table',
    'Table of ClickHouse that gets a row when an alert fires or is resolved; none by default.',
  ),
  logFormat: choice(
    ['text', 'json'],
    'text',
    '`text`: lines for people. `json`: an object on each line of standard error, for programs that collect logs.',
  ),
  logLevel: choice(
    ['debug', 'info', 'warn', 'error'],
    'info',
    '`debug`: epochs and requests too. `warn`: without progress. Actions of the live page are always logged.',
  ),
  traceEndpoint: optional(
    'URL',
    'Address of an OpenTelemetry collector that gets spans by OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; none by default.',
  ),
  traceHeaders: sealed('Headers of these requests: name=value, several with commas, values encoded as in URLs.'),
  traceShare: share(
    0.001,
    'The share of records that are traced. A record with a `traceparent` follows the decision of its sender.',
  ),
  token: sealed('Token that requests for metrics, health and state must bear; needed if `host` is beyond loopback.'),
  tokenFile: optional('file', 'A file that holds the token.'),
} as const;

type ProfileSettings = typeof profileSettings;

/** The settings of the profiles with their values, and what knows those of the connectors. */
export interface Config extends SettingValues<ProfileSettings> {
  /**
   * The values of further settings, such as those of a connector, from the same options, environment and file.
   *
   * @throws MillraceError `config` that lists everything that is wrong.
   */
  readonly valuesOf: <S extends SettingSpecs>(settings: S) => SettingValues<S>;
}

type Named = ProfileSettings & typeof kafkaSettings;
type SealedName = { [K in keyof Named]: Named[K] extends { readonly sealed: true } ? K : never }[keyof Named];

/** Settings of the profiles, without secrets. One of them builds on Kafka. */
export type ProfileConfig = Partial<Omit<SettingValues<Named>, SealedName>>;

/** What `millrace.config.ts` may say: any of the settings, of profiles and of connectors, but secrets. */
export type ConfigFile = ProfileConfig & { readonly [connectorSetting: string]: string | number | undefined };
