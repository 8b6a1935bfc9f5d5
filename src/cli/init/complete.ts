import { basename } from 'node:path';
import { MillraceError } from '../../core/errors.js';
import type { DateOrder } from '../../schema/plain/dates.js';
import { readConfig } from '../load/config-file.js';
import { type InputSizeOf, modelOf } from './model.js';
import { isReserved, isReservedRecord, recordName } from './names.js';
import { type OriginKind, type Place, parseOrigin, parseTarget } from './places.js';
import type { Input, Label, Plan, Task } from './plan.js';
import { type Field, isTime, likelyKey, likelyLabel, likelyTime } from './samples/fields.js';
import { type Shape, shapeOfFiles, shapeOfRegistered, shapeOfSchema, shapeToChange } from './shape.js';
import { topicOf } from './sources.js';

/** What was answered, by flags or at prompts; what is missing has a default. */
export interface Answers {
  readonly name?: string | undefined;
  readonly from?: string | undefined;
  /** `false`: the first line of CSV is a row. */
  readonly header?: false | undefined;
  /** Which comes first in the dates of CSV: the day, or the month. */
  readonly dates?: DateOrder | undefined;
  readonly schema?: string | undefined;
  readonly registry?: string | undefined;
  readonly key?: string | undefined;
  readonly time?: string | undefined;
  readonly do?: Task | undefined;
  readonly label?: string | undefined;
  readonly labels?: string | undefined;
  readonly labelsSchema?: string | undefined;
  readonly model?: string | undefined;
  readonly to?: string | undefined;
}

/** Whether all is left at the defaults: that is the starter. */
export const isStarter = ({ from = 'sample', do: task = 'learn', to = 'kafka', ...others }: Answers): boolean =>
  from === 'sample' &&
  task === 'learn' &&
  to === 'kafka' &&
  Object.values(others).every((other) => other === undefined);

/**
 * The plan of some answers: looks at files and schemas, and puts defaults where nothing was said.
 *
 * @throws MillraceError `config` for a field that there is not, and where nothing fits: no time, no label, no model.
 */
export async function planOf(answers: Answers, folder: string, inputSizeOf?: InputSizeOf): Promise<Plan> {
  const input = await inputOf(answers, folder);
  const task = answers.do ?? 'learn';
  const label = task === 'learn' ? await labelOf(answers, input, folder) : undefined;
  const plan: Plan = {
    name: input.id,
    folder,
    input,
    task,
    label: label?.label,
    labels: label?.labels,
    model: task === 'score' ? await modelOf(answers.model, input, inputSizeOf) : undefined,
    target: parseTarget(answers.to ?? 'kafka'),
  };
  mustBeApart(plan);
  return plan;
}

/** A topology reads a topic once, and none that it writes. Its records and labels are of two types. */
function mustBeApart({ name, input, labels, target }: Plan): void {
  const topics = new Map([
    [topicOf(input), '--from'],
    [`${name}.dead`, 'dead letters'],
  ]);
  const uses: (readonly [topic: string, flag: string])[] = [
    ...(labels ? [[topicOf(labels), '--labels'] as const] : []),
    ...(target.kind === 'kafka' ? [[target.name, '--to'] as const] : []),
  ];
  for (const [topic, flag] of uses) {
    const other = topics.get(topic);
    if (other !== undefined)
      throw new MillraceError('config', `the topic ${topic} is that of ${other} too`, {
        where: flag,
        hint: 'give another topic',
      });
    topics.set(topic, flag);
  }
  if (labels?.shape.record === input.shape.record)
    throw new MillraceError('config', `the records and the labels are both of type ${input.shape.record}`, {
      where: '--labels',
      hint: 'give one of the two another name in its schema, or another --name',
    });
}

/** What is read, as far as answers say so. */
export async function inputOf(answers: Answers, folder: string): Promise<Input> {
  const origin = parseOrigin(answers.from ?? 'sample');
  const id = nameOf(answers.name ?? defaultName(origin));
  const shape = await shapeOf(origin, id, answers, folder);
  const time =
    answers.time === undefined ? likelyTime(shape.fields, shape.rows) : fieldOf(shape, answers.time, '--time');
  if (time === undefined && origin.kind === 'file') {
    throw new MillraceError('config', `no field of ${origin.name} looks like a time`, {
      where: origin.name,
      hint: `--time FIELD; there are: ${namesOf(shape)}`,
    });
  }
  if (time?.holds === 'text') mustBeTimes(shape, time);
  const key = answers.key === undefined ? likelyKey(shape.fields, shape.record) : fieldOf(shape, answers.key, '--key');
  return { id, origin, shape, key: key as Field, time };
}

/** A text that is read in another way on another machine, or not at all, would become a dead letter, or a wrong time. */
function mustBeTimes({ rows }: Shape, { name }: Field): void {
  const other = rows.map((row) => row[name]).find((value) => !isTime(value));
  if (other === undefined) return;
  throw new MillraceError('config', `${name} has ${JSON.stringify(other)}, which is no time in ISO 8601`, {
    where: '--time',
    hint: 'write times as 2026-01-31T12:00:00Z or 2026-01-31 12:00:00; a column of CSV may also have 31.01.2026 or 01/31/2026, in each row',
  });
}

/** What a stream is called by default: as its file or topic. */
function defaultName({ kind, name }: Place<OriginKind>): string {
  if (kind === 'sample') return 'payments';
  const base = kind === 'file' ? wholeFolder(name) : name.replace(/[.-]v\d+$/, '');
  return kind === 'http' || base === '' ? 'events' : base;
}

/** `data/orders/*.csv` are orders. */
function wholeFolder(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  const file = basename(path).replace(/(\.(csv|tsv|ndjson|jsonl|parquet|gz|zst))+$/, '');
  return file.includes('*') ? (parts.filter((part) => !part.includes('*') && part !== '..').at(-1) ?? 'events') : file;
}

/** Ids have at most 64 characters, and some begin with this one. */
const NAME_MAX = 48;

const nameOf = (text: string): string => {
  const name = text
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .toLowerCase()
    .slice(0, NAME_MAX)
    .replaceAll(/^-+|-+$/g, '');
  const called = /^[a-z]/.test(name) ? name : `events-${name}`.replace(/-$/, '');
  return isReserved(called) || isReservedRecord(called) ? `${called}-events` : called;
};

async function shapeOf(
  origin: Place<OriginKind>,
  name: string,
  { schema, registry, header, dates }: Pick<Answers, 'schema' | 'registry' | 'header' | 'dates'>,
  folder: string,
): Promise<Shape> {
  // Only topics have payloads in a registry's form.
  const topic = origin.kind === 'kafka' && origin.name !== '' ? origin.name : `${name}.v1`;
  const options = {
    name,
    folder,
    header,
    dates,
    subject: `${topic}-value`,
    plain: origin.kind === 'http' || origin.kind === 'redis',
  };
  if (origin.kind === 'file') return shapeOfFiles(origin.name, options);
  if (origin.kind === 'sample') return (await import('./samples/sample-shapes.js')).paymentShape(options);
  if (schema === undefined) return shapeToChange(options);
  if (schema !== 'registry' || origin.kind !== 'kafka') return shapeOfSchema(schema, options);
  const [{ confluentRegistry }, { registryOptions }] = await Promise.all([
    import('../../schema/index.js'),
    import('../../profiles/registry-options.js'),
  ]);
  const { subject } = options;
  const latest = await confluentRegistry(await registryOptions(await readConfig({ registry }))).latest(subject);
  if (latest !== undefined) return shapeOfRegistered(latest.schema, options);
  throw new MillraceError('schema', `the registry has no subject ${subject}`, {
    where: subject,
    hint: 'give a schema or a file of samples: --schema FILE',
  });
}

async function labelOf(answers: Answers, input: Input, folder: string): Promise<{ label: Label; labels?: Input }> {
  const origin = answers.labels ?? (input.origin.kind === 'sample' ? 'sample' : undefined);
  const labels = origin === undefined ? undefined : await labelsOf(origin, answers, input, folder);
  const { shape, key, time } = labels ?? input;
  const [, name = '', operator, operand = ''] = /^(.*?)(?:(>=|=)(.*))?$/.exec(answers.label ?? '') ?? [];
  const taken = [key.name, time?.name ?? ''];
  const field = name === '' ? likelyLabel(shape.fields, taken) : fieldOf(shape, name, '--label');
  if (field === undefined || (operator === undefined && field.holds !== 'boolean')) {
    throw new MillraceError('config', field ? `${field.name} is neither true nor false` : 'no field is true or false', {
      where: '--label',
      hint: `name what to predict: --label FIELD, --label "FIELD>=15" or --label FIELD=TEXT; there are: ${namesOf(shape)}`,
    });
  }
  const is = operator === '>=' ? { atLeast: Number(operand) } : operator === '=' ? { equal: operand } : undefined;
  return { label: { field, is }, ...(labels === undefined ? {} : { labels }) };
}

/** A second input, that says what became of the first one's records. Its key is what the first one's key is called. */
async function labelsOf(
  from: string,
  { labelsSchema, registry, header, dates }: Answers,
  input: Input,
  folder: string,
): Promise<Input> {
  const origin = parseOrigin(from, '--labels');
  if (origin.kind === 'sample') return (await import('./samples/sample-shapes.js')).reviewInput(folder);
  const name = nameOf(defaultName(origin));
  const id = recordName(name) === recordName(input.id) ? `${name}-labels` : name;
  const shape = await shapeOf(origin, id, { schema: labelsSchema, registry, header, dates }, folder);
  const key = fieldOf(shape, input.key.name, '--labels');
  return { id, origin, shape, key, time: likelyTime(shape.fields, shape.rows) };
}

function fieldOf(shape: Shape, name: string, flag: string): Field {
  const field = shape.fields.find((one) => one.name === name);
  if (field !== undefined) return field;
  throw new MillraceError('config', `a ${shape.record} has no field ${name}`, {
    where: flag,
    hint: `there are: ${namesOf(shape)}`,
  });
}

const namesOf = ({ fields }: Shape): string => fields.map(({ name }) => name).join(', ');
