import { existsSync } from 'node:fs';
import { isCancel, select, text } from '@clack/prompts';
import type { DateOrder } from '../../schema/plain/dates.js';
import { type Answers, inputOf } from './complete.js';
import { type OriginKind, parseOrigin, type TargetKind } from './places.js';
import type { Input, Task } from './plan.js';
import { likelyLabel } from './samples/fields.js';
import { datesOf } from './shape.js';

/** Ctrl-C at a prompt. */
export class Cancelled extends Error {}

/**
 * Asks for what no flag has said. Enter at every prompt gives the starter.
 *
 * @throws Cancelled
 */
export async function ask(given: Answers, folder: string): Promise<Answers> {
  const from = given.from ?? (await askOrigin());
  const origin = parseOrigin(from);
  const answers: Answers = { ...given, from };
  if (origin.kind === 'sample') {
    const task = answers.do ?? (await askTask());
    return { ...answers, do: task, ...(await askModel(answers, task)), to: answers.to ?? (await askTarget()) };
  }
  const schema = answers.schema ?? (await askSchema(origin.kind));
  const dates = answers.dates ?? (origin.kind === 'file' ? await askDates(origin.name, answers) : undefined);
  const input = await inputOf({ ...answers, schema, dates }, folder);
  const names = input.shape.fields.map(({ name }) => name);
  const key = answers.key ?? (await choice('What are they keyed by?', names, input.key.name));
  const time = answers.time ?? (await askTime(input));
  const task = answers.do ?? (await askTask());
  const label = answers.label ?? (task === 'learn' ? await askLabel(input, key) : undefined);
  const to = answers.to ?? (await askTarget());
  return { ...answers, schema, dates, key, time, do: task, label, ...(await askModel(answers, task)), to };
}

const origins: Readonly<Record<OriginKind, string>> = {
  sample: 'Sample events: ten days of card payments',
  kafka: 'A Kafka topic',
  file: 'Files: CSV, NDJSON or Parquet',
  http: 'HTTP requests',
  redis: 'A Redis stream',
};

async function askOrigin(): Promise<string> {
  const kind = await choice('Where do events come from?', Object.keys(origins) as OriginKind[], 'sample', origins);
  switch (kind) {
    case 'sample':
      return kind;
    case 'kafka':
      return `kafka:${await line('Which topic?', 'events.v1')}`;
    case 'file':
      return line('Which files? The last parts of a path may have *', 'data/events.csv', (path) =>
        path.includes('*') || existsSync(path) ? undefined : 'there is no such file',
      );
    case 'http':
      return `http:${await line('At which port are they taken?', '8080')}`;
    case 'redis':
      return `redis:${await line('Which stream? Its field `value` has the payload', 'events')}`;
  }
}

async function askSchema(kind: OriginKind): Promise<string | undefined> {
  if (kind === 'file') return undefined;
  const known = kind === 'kafka' ? ['later', 'file', 'registry'] : ['later', 'file'];
  const how = await choice('What do they look like?', known, 'later', {
    later: 'Write an example, to be changed',
    file: 'As in a file: .avsc, .proto, .json, or a sample in .ndjson or .csv',
    registry: 'From the schema registry',
  });
  if (how === 'later') return undefined;
  if (how === 'registry') return how;
  return line('Which file?', 'schemas/event.avsc', (path) =>
    existsSync(path.split('#')[0] ?? '') ? undefined : 'there is no such file',
  );
}

/** Dates that are written other than in ISO 8601 are asked about, also where the rows tell. */
async function askDates(path: string, { header }: Answers): Promise<DateOrder | undefined> {
  const dates = await datesOf(path, { header });
  if (dates === undefined) return undefined;
  return choice(
    `${dates.column} has dates such as ${dates.cell}. What is first?`,
    ['dmy', 'mdy'],
    dates.order ?? 'dmy',
    {
      dmy: 'The day',
      mdy: 'The month',
    },
  );
}

const LOG_TIME = 'when they were written';

async function askTime({ shape, time, origin }: Input): Promise<string | undefined> {
  const names = shape.fields.map(({ name }) => name);
  const choices = origin.kind === 'file' ? names : [...names, LOG_TIME];
  const chosen = await choice('Which field says when they happened?', choices, time?.name ?? LOG_TIME);
  return chosen === LOG_TIME ? undefined : chosen;
}

const tasks: Readonly<Record<Task, string>> = {
  learn: 'Predict, with a model that learns from labels',
  route: 'Clean and route',
  score: 'Score with an ONNX file',
  count: 'Count in windows',
};

const askTask = (): Promise<Task> => choice('What is to be done?', Object.keys(tasks) as Task[], 'learn', tasks);

async function askLabel({ shape, time }: Input, key: string): Promise<string> {
  const likely = likelyLabel(shape.fields, [key, time?.name ?? ''])?.name;
  return line('What is to be predicted? FIELD, FIELD>=NUMBER or FIELD=TEXT', likely ?? '', (answer) =>
    answer === '' ? 'there must be something to predict' : undefined,
  );
}

const askModel = async ({ model }: Answers, task: Task): Promise<Pick<Answers, 'model'>> =>
  task !== 'score' || model !== undefined
    ? { model }
    : {
        model: await line('Which ONNX file?', 'models/model.onnx', (path) =>
          existsSync(path) ? undefined : 'there is no such file',
        ),
      };

const targets: Readonly<Record<TargetKind, string>> = {
  kafka: 'A Kafka topic',
  clickhouse: 'A ClickHouse table',
  redis: 'Redis hashes',
  file: 'Files',
  postgres: 'A Postgres table',
  webhook: 'HTTP requests',
};

const askTarget = (): Promise<string> =>
  choice('Where do results go?', Object.keys(targets) as TargetKind[], 'kafka', targets);

async function choice<const K extends string>(
  message: string,
  values: readonly K[],
  initialValue: K,
  labels: Readonly<Record<string, string>> = {},
): Promise<K> {
  const options = values.map((value) => ({ value: value as string, label: labels[value] ?? value }));
  return answered(await select<string>({ message, options, initialValue })) as K;
}

async function line(
  message: string,
  fallback: string,
  problem: (answer: string) => string | undefined = () => undefined,
): Promise<string> {
  const validate = (answer: string | undefined) => problem(answer || fallback);
  return answered(await text({ message, placeholder: fallback, defaultValue: fallback, validate }));
}

function answered<T extends string>(answer: T | symbol): T {
  if (isCancel(answer)) throw new Cancelled();
  return answer as T;
}
