import { MillraceError } from '../../core/errors.js';

// What a registry answers, taken for what it says only where it is that: proxies answer with pages, and not every registry is one.

/** A schema as the API has it. */
export interface Registered {
  readonly schema: string;
  readonly schemaType?: string;
  readonly references?: readonly Reference[];
}

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (answer: unknown): Fields => (typeof answer === 'object' && answer !== null ? (answer as Fields) : {});
const isText = (value: unknown): value is string => typeof value === 'string';

/** @throws MillraceError `schema` where the answer is no schema. */
export function registeredIn(answer: unknown, doing: string): Registered {
  const { schema, schemaType, references = [] } = fieldsOf(answer);
  if (!isText(schema) || !Array.isArray(references)) throw strange(doing, 'no schema');
  return {
    schema,
    ...(isText(schemaType) ? { schemaType } : {}),
    references: references.map((reference) => {
      const { name, subject } = fieldsOf(reference);
      if (!isText(name) || !isText(subject)) throw strange(doing, 'a reference to nothing');
      return { name, subject, version: wholeNumberIn(reference, 'version', doing) };
    }),
  };
}

/** An id or a version. @throws MillraceError `schema` where the answer has none that fits the wire format. */
export function wholeNumberIn(answer: unknown, field: 'id' | 'version', doing: string): number {
  const number = fieldsOf(answer)[field];
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < 2 ** 31) return number;
  throw strange(doing, `no ${field}`);
}

const strange = (doing: string, what: string): MillraceError =>
  new MillraceError('schema', `cannot ${doing}: the answer holds ${what}`, {
    hint: "is it a registry with Confluent's interface that answers at this address?",
  });
