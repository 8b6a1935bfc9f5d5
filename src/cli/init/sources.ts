import { relative, resolve } from 'node:path';
import { type Imports, objectText, quoted } from './code.js';
import type { OriginKind } from './places.js';
import type { Input, Plan } from './plan.js';
import { rowName, textKey, timeText, timeUnitOf } from './samples/fields-text.js';

/** A source as a topology has it. */
export function sourceText(input: Input, plan: Pick<Plan, 'folder'>, imports: Imports, indent: string): string {
  const { shape, time, origin } = input;
  imports.add(`./${shape.module}.js`, shape.schema);
  const row = rowName(input);
  const rows = time === undefined ? [] : shape.rows.map((one) => one[time.name]);
  const eventTime: [string, string][] =
    time === undefined ? [] : [['eventTime', `(${row}) => ${timeText(row, time, rows)}`]];
  const late: [string, string][] = disorder(input, imports);
  return sourceTexts[origin.kind](input, { imports, indent, folder: plan.folder, eventTime, late });
}

interface Given {
  readonly imports: Imports;
  readonly indent: string;
  readonly folder: string;
  readonly eventTime: readonly [string, string][];
  readonly late: readonly [string, string][];
}

const topicText = (input: Input, { imports, indent, eventTime, late }: Given): string => {
  imports.add('millrace/connectors/kafka', 'kafka');
  const options: [string, string][] = [
    ['topic', quoted(topicOf(input))],
    ['schema', input.shape.schema],
  ];
  return `kafka.source(${objectText([...options, ...eventTime, ...late], indent)})`;
};

const sourceTexts: Readonly<Record<OriginKind, (input: Input, given: Given) => string>> = {
  sample: topicText,
  kafka: topicText,
  file({ origin, shape }, { imports, indent, folder, eventTime, late }) {
    imports.add('millrace/connectors/file', 'file');
    const path = relative(resolve(folder), resolve(origin.name)).replaceAll('\\', '/');
    const header: [string, string][] = shape.header ? [['header', 'true']] : [];
    const options: [string, string][] = [['path', quoted(path)], ['schema', shape.schema], ...header];
    return `file.source(${objectText([...options, ...eventTime, ...late], indent)})`;
  },
  http(input, { imports, indent, eventTime, late }) {
    imports.add('millrace/connectors/http', 'http');
    const row = rowName(input);
    const options: [string, string][] = [
      ['topic', quoted(topicOf(input))],
      ['schema', input.shape.schema],
      ['port', input.origin.name || '8080'],
      ['key', `(${row}) => ${textKey(row, input.key)}`],
    ];
    return `http.ingestSource(${objectText([...options, ...eventTime, ...late], indent)})`;
  },
  redis(input, { imports, indent, eventTime, late }) {
    imports.add('millrace/connectors/redis', 'redis');
    const options: [string, string][] = [
      ['stream', quoted(input.origin.name || input.id)],
      ['field', quoted('value')],
      ['schema', input.shape.schema],
    ];
    return `redis.streamSource(${objectText([...options, ...eventTime, ...late], indent)})`;
  },
};

/** The topic that an input lies in, if it lies in one. */
export const topicOf = ({ id, origin }: Input): string =>
  origin.kind === 'kafka' && origin.name !== '' ? origin.name : `${id}.v1`;

/** As far out of order as the rows that were looked at, so that windows take them. */
function disorder({ shape, time }: Input, imports: Imports): [string, string][] {
  if (time === undefined || shape.synthetic) return [];
  const times = shape.rows.map((row) => timeMs(row[time.name])).filter(Number.isFinite);
  let latest = Number.NEGATIVE_INFINITY;
  let disorderMs = 0;
  for (const at of times) {
    disorderMs = Math.max(disorderMs, latest - at);
    latest = Math.max(latest, at);
  }
  if (disorderMs <= 0) return [];
  imports.add('millrace', 'minutes');
  return [['outOfOrdernessMax', `minutes(${Math.ceil(disorderMs / 60_000)})`]];
}

/** A time of a row, as the text of `timeText` reads it. */
export function timeMs(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'number') return value / timeUnitOf([value]).perMs;
  const text = String(value);
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$|^\d{4}-\d\d-\d\d$/.test(text) ? text : `${text}Z`);
}
