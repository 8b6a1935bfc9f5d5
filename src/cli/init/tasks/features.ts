import { access, type Imports, objectText, quoted } from '../code.js';
import type { Input, Plan } from '../plan.js';
import { freeName } from '../results.js';
import type { Field } from '../samples/fields.js';
import { rowName, timeText } from '../samples/fields-text.js';

/** What a model sees of a record. */
export interface Features {
  readonly fields: readonly Field[];
  /** How the hour of the day goes in. */
  readonly hour: 'cyclic' | 'numeric' | undefined;
}

/** A value that no other record has says nothing of other records. */
const isFeature = ({ input: { key, time, shape } }: { readonly input: Input }, { name }: Field): boolean =>
  name !== key.name && name !== time?.name && name !== shape.identity;

/** Of a model that learns: all that is not the record's key, its identity, its time or its own label. */
export const featuresOf = (plan: Plan): Features => ({
  fields: plan.input.shape.fields.filter(
    (field) =>
      isFeature(plan, field) &&
      (plan.labels !== undefined || field.name !== plan.label?.field.name) &&
      (field.holds === 'number' || field.holds === 'text' || field.holds === 'boolean'),
  ),
  hour: plan.input.time === undefined ? undefined : 'cyclic',
});

/** Numbers of a record. */
export const numbersOf = (plan: { readonly input: Input }): readonly Field[] =>
  plan.input.shape.fields.filter((field) => isFeature(plan, field) && field.holds === 'number');

/**
 * Of a model that takes so many numbers: the record's numbers, what is true or not of it, and the hour where one or two are missing
 * still. `undefined` where a record has fewer.
 */
export function denseFeatures(plan: { readonly input: Input }, size: number): Features | undefined {
  const flags = plan.input.shape.fields.filter((field) => isFeature(plan, field) && field.holds === 'boolean');
  const fields = [...numbersOf(plan), ...flags].slice(0, size);
  const missing = size - fields.length;
  if (missing === 0) return { fields, hour: undefined };
  if (missing > 2 || plan.input.time === undefined) return undefined;
  return { fields, hour: missing === 1 ? 'numeric' : 'cyclic' };
}

const ABOUT = {
  learn: '// What the model sees of a record, the same wherever it is computed.',
  score:
    '// What the model sees of a record: as many numbers as it takes, guessed from the fields. Change them to what it was\n// trained on, in that order.',
};

/** The view that makes these features. */
export function featureViewText(plan: Plan, { fields, hour }: Features, imports: Imports): string {
  const { input } = plan;
  const { shape, time } = input;
  const row = rowName(input);
  imports.add('millrace/ml', 'featureView');
  imports.add(`./${shape.module}.js`, `type ${shape.record}`);
  const columns = fields.map((field): [string, string] => [
    field.name,
    `(${row}: ${shape.record}) => ${columnText(row, field, input)}`,
  ]);
  const features = fields.map((field): [string, string] => [field.name, featureText(plan, field, imports)]);
  if (hour !== undefined && time !== undefined) {
    imports.add('millrace/ml', hour);
    const name = freeName('hour', fields);
    const at = timeText(
      row,
      time,
      shape.rows.map((one) => one[time.name]),
    );
    columns.push([name, `(${row}: ${shape.record}) => new Date(${at}).getUTCHours()`]);
    features.push([name, hour === 'cyclic' ? `cyclic(${quoted(name)}, 24)` : `numeric(${quoted(name)})`]);
  }
  const options = objectText(
    [
      ['name', quoted(plan.name)],
      ['version', '1'],
      ['columns', objectText(columns, '  ')],
      ['features', objectText(features, '  ')],
      ...(fields.some(({ holds }) => holds === 'text') ? ([['hashBits', '12']] as [string, string][]) : []),
    ],
    '',
  );
  return `${ABOUT[plan.task === 'score' ? 'score' : 'learn']}\nconst features = featureView(${options});\n`;
}

/** A column's value: what is true or not as 1 or 0, and where a number may be missing the mean of the rows that were looked at. */
export function columnText(row: string, { name, holds, optional }: Field, input: Input): string {
  const value = access(row, name);
  if (holds === 'text') return value;
  if (holds === 'boolean') return optional ? `Number(${value} ?? false)` : `Number(${value})`;
  return optional ? `${value} ?? ${short(scaleOf(input, name).mean)}` : value;
}

function featureText(plan: Plan, { name, holds }: Field, imports: Imports): string {
  const isText = holds === 'text';
  imports.add('millrace/ml', isText ? 'hashed' : 'numeric');
  if (isText) return `hashed(${quoted(name)})`;
  // What an ONNX model takes is for its training to say.
  if (holds !== 'number' || plan.task !== 'learn') return `numeric(${quoted(name)})`;
  const { mean, deviation } = scaleOf(plan.input, name);
  const scale = deviation > 0 ? `, { center: ${short(mean)}, scale: ${short(deviation)} }` : '';
  return `numeric(${quoted(name)}${scale})`;
}

const short = (value: number): number => Number(value.toPrecision(3));

/** Of the rows that were looked at; 0 where none has the number. */
function scaleOf({ shape }: Input, name: string): { readonly mean: number; readonly deviation: number } {
  const values = shape.rows.map((one) => one[name]).filter((value): value is number => typeof value === 'number');
  if (values.length === 0) return { mean: 0, deviation: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}
