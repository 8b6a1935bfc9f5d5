import { declarationsOf } from '../../../schema/typescript/index.js';
import { sampleEvents } from '../../starter/events.js';
import { paymentSchema, reviewSchema } from '../../starter/sources.js';
import type { Input } from '../plan.js';
import { type SchemaSource, schemaModule } from '../schema-module.js';
import type { Shape, ShapeOptions } from '../shape.js';
import { type Field, fieldsOf, type Row } from './fields.js';

/** The starter's payments. */
export const paymentShape = (_options: ShapeOptions): Shape =>
  sampleShape('Payment', 'payment.v1', 'payments.v1-value', paymentSchema, sampleEvents().payments, 'paymentId');

/** What reviewers said of them: their labels. */
export function reviewInput(_folder: string): Input {
  const shape = sampleShape(
    'Review',
    'review.v1',
    'reviews.v1-value',
    reviewSchema,
    sampleEvents().reviews,
    'paymentId',
  );
  const [key, time] = shape.fields as readonly [Field, Field];
  return { id: 'reviews', origin: { kind: 'sample', name: '' }, shape, key, time };
}

function sampleShape(
  record: string,
  file: string,
  subject: string,
  text: string,
  lines: string,
  identity: string,
): Shape {
  const declared = declarationsOf({ format: 'avro', text, references: [] });
  const source: SchemaSource = { format: 'avro', file: `./${file}.avsc`, bare: false };
  const schema = `${record}V1`;
  return {
    record,
    schema,
    module: `schemas/${file}`,
    format: 'avro',
    fields: fieldsOf(declared),
    header: false,
    notes: [],
    rows: lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Row),
    synthetic: true,
    registered: false,
    identity,
    files: new Map([
      [`schemas/${file}.avsc`, text],
      [`schemas/${file}.ts`, schemaModule(source, { record, schema, subject }, declared)],
    ]),
    schemaFile: `schemas/${file}.avsc`,
  };
}
