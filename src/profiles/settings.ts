// One specification of every setting: types, parsing, validation, --help and the tables of the documents all read it. Connectors
// declare their own.

import type { settings as kafkaSettings } from '../../connectors/kafka/settings.js';
import { choice, optional, sealed, text, url, wholeNumber } from '../connect/setting.js';
import type { SettingSpecs, SettingValues } from '../core/connector.js';

/** How topologies run, whatever they read and write. */
export const profileSettings = {
  profile: choice(
    {
      env: 'MILLRACE_PROFILE',
      fallback: 'embedded',
      description: '`embedded`: everything in this process. `cluster`: on Kafka, Redis and ClickHouse.',
    },
    ['embedded', 'cluster'],
  ),
  data: text(
    {
      env: 'MILLRACE_DATA',
      fallback: '.millrace/data',
      description: 'Folder of the embedded profile: logs, state, key-value store and tables.',
    },
    'folder',
  ),
  standbys: wholeNumber(
    {
      env: 'MILLRACE_STANDBYS',
      fallback: 0,
      description: 'Standby replicas of the state of each task, for a fast takeover (cluster profile).',
    },
    0,
    10,
  ),
  registry: url(
    {
      env: 'MILLRACE_REGISTRY',
      fallback: 'http://127.0.0.1:8081/apis/ccompat/v7',
      description: "Schema registry of the cluster profile, with Confluent's REST interface.",
      secret: true,
    },
    ['http', 'https'],
  ),
  registryUser: optional(
    { env: 'MILLRACE_REGISTRY_USER', description: 'User of the schema registry (basic authentication).' },
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
  stallSeconds: wholeNumber(
    {
      env: 'MILLRACE_STALL_SECONDS',
      fallback: 60,
      description:
        'Time after which an unanswered poll, write, commit or inference counts as hung and its task is restored.',
    },
    1,
    86_400,
  ),
  inFlightBytesMax: wholeNumber(
    {
      env: 'MILLRACE_IN_FLIGHT_BYTES_MAX',
      fallback: 256 * 1024 * 1024,
      description:
        'About how many bytes of records, undecoded and decoded, all tasks may hold on their way to the sinks.',
    },
    1024 * 1024,
    2 ** 40,
  ),
  host: text(
    { env: 'MILLRACE_HOST', fallback: '127.0.0.1', description: 'Address of the metrics and health endpoints.' },
    'address',
  ),
  port: wholeNumber(
    { env: 'MILLRACE_PORT', fallback: 0, description: 'Port of the metrics and health endpoints; 0 opens none.' },
    0,
    65_535,
  ),
  deadLetterKey: sealed({
    env: 'MILLRACE_DEAD_LETTER_KEY',
    description: "Key of dead letters with `raw: 'encrypt'`: 32 bytes in base64 or hexadecimal digits.",
  }),
  token: sealed({
    env: 'MILLRACE_TOKEN',
    description: 'Token that requests for metrics, health and state must bear; needed if `host` is beyond loopback.',
  }),
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

/** Settings of the profiles, of which one stands on Kafka, without secrets. */
export type ProfileConfig = Partial<Omit<SettingValues<Named>, SealedName>>;

/** What `millrace.config.ts` may say: any of the settings, of profiles and of connectors, but secrets. */
export type ConfigFile = ProfileConfig & { readonly [connectorSetting: string]: string | number | undefined };
