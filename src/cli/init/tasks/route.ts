import { access, type Imports, propertyName, quoted } from '../code.js';
import { isReserved } from '../names.js';
import type { Plan } from '../plan.js';
import type { Result, ResultField } from '../results.js';
import { rowName } from '../samples/fields-text.js';
import { numbersOf } from './features.js';
import type { TaskText } from './task-text.js';

/** Divides the stream by what its records hold. */
export function routeText(plan: Plan, imports: Imports): TaskText {
  imports.add('millrace', 'route');
  const { input } = plan;
  const row = rowName(input);
  const { name, predicate } = division(plan, row);
  const output = outputName(name, input.id);
  const result = (called: string): Result => ({
    type: input.shape.record,
    schema: { value: input.shape.schema, format: input.shape.format },
    fields: inputFields(plan),
    key: { ...input.key, optional: false },
    identity: input.shape.identity === input.key.name ? [input.key.name] : [],
    called,
  });
  return {
    before: [],
    steps: [`.split(${quoted(splitId(output))}, route({ ${propertyName(output)}: (${row}) => ${predicate} }))`],
    outputs: [
      { id: output, result: result(output) },
      { id: 'otherwise', result: result(OTHERS) },
    ],
  };
}

/** What the other output is called in names of topics, tables and folders. */
const OTHERS = 'others';

const splitId = (output: string): string => `by-${output}`;

/** The name of an output which nothing else in the topology has. */
function outputName(name: string, source: string): string {
  const isTaken = isReserved(name) || [source, OTHERS].includes(name) || splitId(name) === source;
  return isTaken ? outputName(`${name}-ones`, source) : name;
}

/** How records are divided: by what is true of them, by a number's middle, or by a text that comes often. */
function division(plan: Plan, row: string): { readonly name: string; readonly predicate: string } {
  const { shape, key, time } = plan.input;
  const fields = shape.fields.filter(({ name }) => name !== key.name && name !== time?.name);
  const flag = fields.find(({ holds }) => holds === 'boolean');
  if (flag !== undefined) {
    const value = access(row, flag.name);
    return { name: slug(flag.name), predicate: flag.optional ? `${value} === true` : value };
  }
  const number = numbersOf(plan)[0];
  if (number !== undefined) {
    const values = shape.rows.map((one) => Number(one[number.name] ?? 0)).sort((a, b) => a - b);
    const middle = values[Math.floor(values.length / 2)] ?? 0;
    const value = access(row, number.name);
    const predicate = `${number.optional ? `(${value} ?? 0)` : value} >= ${middle}`;
    return { name: `large-${slug(number.name)}`, predicate };
  }
  const text = fields.find(({ holds }) => holds === 'text') ?? key;
  const example = String(shape.rows[0]?.[text.name] ?? '');
  return { name: `one-${slug(text.name)}`, predicate: `String(${access(row, text.name)}) === ${quoted(example)}` };
}

const slug = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .toLowerCase() || 'field';

const inputFields = ({ input: { shape, key, time } }: Plan): readonly ResultField[] =>
  shape.fields.map((field) => ({
    ...field,
    optional: field.optional && field.name !== key.name,
    isTime: field.name === time?.name && !field.micros && shape.rows.some((row) => isMilliseconds(row[field.name])),
  }));

/** A time as tables take it; numbers below are seconds. */
const isMilliseconds = (value: unknown): boolean =>
  value instanceof Date || (typeof value === 'number' && value >= 1e11);
