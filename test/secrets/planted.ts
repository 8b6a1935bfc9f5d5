import { inspect } from 'node:util';

// Credentials that cannot be anything else, and how they are found again in whatever was printed or written.

/** What each is made of: letters that no encoding changes, among characters that each of them does. */
const decorated = (core: string): string => `a"${core}&+/=ü'%40 z`;
/** For places that take no more than what a header may hold. */
const plain = (core: string): string => `a-${core}-z`;

/** One of everything that takes a secret, by what it is. */
export const planted = {
  kafkaPassword: decorated('KafkaPasswordPlanted'),
  kafkaToken: plain('KafkaTokenPlanted'),
  kafkaTokenSecret: decorated('TokenSecretPlanted'),
  kafkaKeyPassphrase: decorated('PassphrasePlanted'),
  registryPassword: decorated('RegistryPasswordPlanted'),
  registryToken: plain('RegistryTokenPlanted'),
  registryUrlPassword: decorated('RegistryUrlPlanted'),
  redisPassword: decorated('RedisPasswordPlanted'),
  redisUrlPassword: decorated('RedisUrlPlanted'),
  clickhousePassword: decorated('ClickhousePlanted'),
  postgresPassword: decorated('PostgresPlanted'),
  s3Key: plain('AccessKeyPlanted'),
  s3Secret: decorated('S3SecretPlanted'),
  webhookSecret: decorated('WebhookSecretPlanted'),
  headerToken: plain('HeaderTokenPlanted'),
  inferenceToken: plain('InferenceTokenPlanted'),
  ingestToken: plain('IngestTokenPlanted'),
  piiKey: decorated('PiiKeyOfThirtyTwoBytesOrMorePlanted'),
} as const;

export type Planted = keyof typeof planted;

/** Base64 of a text that stands anywhere in a longer one: its three alignments, without the ends that neighbours reach into. */
const base64Forms = (core: string): string[] =>
  [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(core)]).toString('base64');
    return text.slice(Math.ceil((before * 4) / 3) + (before === 0 ? 0 : 1), -4);
  });

const formsOf = (core: string): readonly (readonly [form: string, text: string])[] => [
  ['as it is', core],
  ['in base64', base64Forms(core)[0] as string],
  ['in base64', base64Forms(core)[1] as string],
  ['in base64', base64Forms(core)[2] as string],
  ['in hexadecimal', Buffer.from(core).toString('hex')],
];

const needles = Object.entries(planted).flatMap(([name, secret]) => {
  const [core = ''] = /[A-Za-z0-9]+Planted/.exec(secret) ?? [];
  return formsOf(core).map(([form, text]) => ({ name, form, text }));
});

/** Which of them are in a text, and in which form; the letters of each survive JSON, URLs and quotes. */
export const leaksIn = (text: string): string[] => [
  ...new Set(needles.filter((needle) => text.includes(needle.text)).map(({ name, form }) => `${name} ${form}`)),
];

/** Everything that a logger, a crash or a debugger would show of a value: hidden properties, causes and all. */
export const everythingOf = (value: unknown): string =>
  [
    inspect(value, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }),
    String(value),
    value instanceof Error ? stacksOf(value) : '',
    asJson(value),
  ].join('\n');

const stacksOf = (error: Error): string =>
  `${error.stack}\n${error.cause instanceof Error ? stacksOf(error.cause) : ''}`;

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return ''; // goes round in a circle: `inspect` has it all
  }
}
