import { MillraceError } from '../../core/errors.js';

// Checks the answers of a registry: a proxy may answer with a page, and another service may be at the address.

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

/** The schema in an answer. @throws MillraceError `schema` if it holds none. */
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

/** The id or version in an answer. @throws MillraceError `schema` if it holds none that fits the wire format. */
export function wholeNumberIn(answer: unknown, field: 'id' | 'version', doing: string): number {
  const number = fieldsOf(answer)[field];
  if (typeof number === 'number' && Number.isInteger(number) && number >= 0 && number < 2 ** 31) return number;
  throw strange(doing, `no ${field}`);
}

const strange = (doing: string, what: string): MillraceError =>
  new MillraceError('schema', `cannot ${doing}: the answer holds ${what}`, {
    hint: "check that the address is that of a registry with Confluent's interface",
  });
