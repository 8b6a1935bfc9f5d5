import type { RegistryFormat } from '../../../src/core/schema.js';
import type { PayloadCase } from './case.js';

// The clients of others that cases are run with, as data: the documents list them too.

export type ClientName = 'confluent-python' | 'confluent-js' | 'fastavro' | 'protoc';

export interface Client {
  readonly name: ClientName;
  /** How the documents call it. */
  readonly title: string;
  readonly formats: readonly RegistryFormat[];
  /** Whether an id of the registry stands in front of its payloads. */
  readonly framing: 'registry' | 'none';
  /** Which schema it reads with: one of its own, or the writer's whatever it is. */
  readonly readsWith: 'its own' | "the writer's";
  /** Formats that it cannot read from the registry of these tests, with the reason. */
  readonly cannotRead?: Readonly<Partial<Record<RegistryFormat, string>>>;
  /** What it cannot take part in, with the reason. */
  readonly leavesOut: (payload: PayloadCase) => string | undefined;
}

const PAST_53_BITS = 'it has whole numbers to 2^53 only';
const NO_LOGICAL_TYPES = 'it leaves logical types as what they are made of';
const NEEDS_AN_ID = "an Avro payload with nothing in front is one of the reader's own schema";

export const clients: readonly Client[] = [
  {
    name: 'confluent-python',
    title: 'Confluent for Python',
    formats: ['avro', 'json-schema', 'protobuf'],
    framing: 'registry',
    readsWith: 'its own',
    leavesOut: () => undefined,
  },
  {
    name: 'confluent-js',
    title: 'Confluent for JavaScript',
    formats: ['avro', 'json-schema', 'protobuf'],
    framing: 'registry',
    readsWith: "the writer's",
    cannotRead: {
      protobuf: "it asks the registry for a serialized descriptor, which only Confluent's makes of a text",
    },
    leavesOut({ format, what }) {
      if (format !== 'avro') return undefined;
      if (what.startsWith('every type')) return PAST_53_BITS;
      return what.startsWith('logical types') || what.includes('decimal') ? NO_LOGICAL_TYPES : undefined;
    },
  },
  {
    name: 'fastavro',
    title: 'fastavro',
    formats: ['avro'],
    framing: 'none',
    readsWith: 'its own',
    leavesOut: ({ versions }) => (versions === 'the same' ? undefined : NEEDS_AN_ID),
  },
  {
    name: 'protoc',
    title: 'protoc and Python',
    formats: ['protobuf'],
    framing: 'none',
    readsWith: 'its own',
    leavesOut: () => undefined,
  },
];

/** The cases that a client takes part in. */
export const casesOf = ({ formats, leavesOut }: Client, cases: readonly PayloadCase[]): readonly PayloadCase[] =>
  cases.filter((payload) => formats.includes(payload.format) && leavesOut(payload) === undefined);
