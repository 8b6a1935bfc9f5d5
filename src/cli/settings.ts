// One specification of every setting: types, parsing, validation, --help and the README's table all read it.

/** A setting's name in the configuration file is its key in `settings`. */
export interface Setting<T> {
  readonly env: string;
  /** How its type reads in tables. */
  readonly type: string;
  readonly fallback: T;
  readonly description: string;
  /** Its value may hold a password: messages name it and never print it. */
  readonly secret: boolean;
  /** The value, or what is wrong with it. */
  parse(value: string | number): T | Mistake;
}

export class Mistake {
  constructor(readonly expected: string) {}
}

interface Plain<T> {
  readonly env: string;
  readonly fallback: T;
  readonly description: string;
  readonly secret?: boolean;
}

interface Choice<T> extends Setting<T> {
  readonly values: readonly T[];
}

const choice = <T extends string>({ secret = false, ...plain }: Plain<T>, values: readonly T[]): Choice<T> => ({
  ...plain,
  secret,
  values,
  type: values.map((value) => `\`${value}\``).join(' or '),
  parse: (value) => values.find((known) => known === value) ?? new Mistake(`one of ${values.join(', ')}`),
});

const text = ({ secret = false, ...plain }: Plain<string>, type: string): Setting<string> => ({
  ...plain,
  secret,
  type,
  parse: (value) => (String(value).trim() === '' ? new Mistake(`some ${type}`) : String(value)),
});

const url = ({ secret = false, ...plain }: Plain<string>, protocols: readonly string[]): Setting<string> => ({
  ...plain,
  secret,
  type: 'URL',
  parse: (value) => {
    const protocol = URL.canParse(String(value)) ? new URL(String(value)).protocol.slice(0, -1) : '';
    return protocols.includes(protocol)
      ? String(value)
      : new Mistake(`a URL that begins with ${protocols.join(':// or ')}://`);
  },
});

const brokers = ({ secret = false, ...plain }: Plain<string>): Setting<string> => ({
  ...plain,
  secret,
  type: '`host:port`, several with commas',
  parse: (value) => {
    const wellFormed = String(value)
      .split(',')
      .every((part) => /^[^\s:,/]+:\d{1,5}$/.test(part.trim()));
    return wellFormed ? String(value) : new Mistake('host:port, several separated by commas, without a protocol');
  },
});

const wholeNumber = ({ secret = false, ...plain }: Plain<number>, min: number, max: number): Setting<number> => ({
  ...plain,
  secret,
  type: `${min} to ${max}`,
  parse: (value) => {
    const number = typeof value === 'number' ? value : /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN;
    const fits = Number.isInteger(number) && number >= min && number <= max;
    return fits ? number : new Mistake(`a whole number from ${min} to ${max}`);
  },
});

export const settings = {
  profile: choice(
    {
      env: 'MILLRACE_PROFILE',
      fallback: 'embedded',
      description: 'Where a topology runs: everything in this process, or on real Kafka, Redis and ClickHouse.',
    },
    ['embedded', 'local'],
  ),
  data: text(
    {
      env: 'MILLRACE_DATA',
      fallback: '.millrace/data',
      description: 'Folder of the embedded profile: logs, state, key-value store and tables.',
    },
    'folder',
  ),
  kafka: brokers({
    env: 'MILLRACE_KAFKA',
    fallback: '127.0.0.1:9092',
    description: 'Kafka brokers of the local profile.',
  }),
  standbys: wholeNumber(
    {
      env: 'MILLRACE_STANDBYS',
      fallback: 0,
      description: "Other processes that follow each task's changelog, to take it over at once (local profile).",
    },
    0,
    10,
  ),
  registry: url(
    {
      env: 'MILLRACE_REGISTRY',
      fallback: 'http://127.0.0.1:8081/apis/ccompat/v7',
      description: "Schema registry of the local profile, by Confluent's REST interface.",
      secret: true,
    },
    ['http', 'https'],
  ),
  redis: url(
    {
      env: 'MILLRACE_REDIS',
      fallback: 'redis://127.0.0.1:6379',
      description: 'Redis of the local profile.',
      secret: true,
    },
    ['redis', 'rediss'],
  ),
  clickhouse: url(
    {
      env: 'MILLRACE_CLICKHOUSE',
      fallback: 'http://127.0.0.1:8123',
      description: 'ClickHouse of the local profile, by its HTTP interface.',
      secret: true,
    },
    ['http', 'https'],
  ),
  stallSeconds: wholeNumber(
    {
      env: 'MILLRACE_STALL_SECONDS',
      fallback: 60,
      description: 'How long a poll, a write, a commit or an inference may go unanswered before its task is restored.',
    },
    1,
    86_400,
  ),
  host: text(
    { env: 'MILLRACE_HOST', fallback: '127.0.0.1', description: 'Address that metrics and health listen on.' },
    'address',
  ),
  port: wholeNumber(
    { env: 'MILLRACE_PORT', fallback: 0, description: 'Port of metrics and health; 0 opens none.' },
    0,
    65_535,
  ),
} as const;

type Settings = typeof settings;
export type SettingName = keyof Settings;

/** All settings with their values. */
export type Config = { readonly [K in SettingName]: Settings[K] extends Setting<infer T> ? T : never };

export const settingNames = Object.keys(settings) as SettingName[];
