import { kafka } from '../connectors/kafka/index.js';
import type { OutgoingRecord } from '../src/core/index.js';
import { map } from '../src/operators/index.js';
import { json } from '../src/schema/index.js';
import { topology } from '../src/topology/index.js';

// Two records of 112 are too large, in the two ways a record can be: one is as large as an input takes and malformed, so that its
// dead letter does not fit; one is valid and grows on its way beyond what the output takes.

/** Kafka's default of `max.message.bytes`. */
export const LIMIT = 1_048_588;
const MALFORMED_AT = 10;
const GROWS_AT = 50;
const RECORDS = 112;

export const good = Array.from({ length: RECORDS }, (_, n) => n).filter((n) => n !== MALFORMED_AT && n !== GROWS_AT);

export const records = Array.from(
  { length: RECORDS },
  (_, n): OutgoingRecord => ({
    key: null,
    value: n === MALFORMED_AT ? Buffer.alloc(1_048_450, 'x') : Buffer.from(JSON.stringify({ n })),
    timestampMs: n,
  }),
);

interface Numbered {
  readonly n: number;
  readonly filler?: string;
}

/** Reads `NAME.in` into `NAME.out`, with the dead letters in `NAME.dead`; all three take records of `LIMIT`. */
export const oversized = (name: string) => {
  const declared = { configs: { 'max.message.bytes': LIMIT } };
  const deadLetters = kafka.deadLetterSink({ topic: `${name}.dead`, ...declared });
  return topology(name, { deadLetters }, (t) => {
    t.source('in', kafka.source({ topic: `${name}.in`, schema: json<Numbered>() }))
      .via(
        'grow',
        map((value: Numbered) => (value.n === GROWS_AT ? { ...value, filler: 'y'.repeat(LIMIT) } : value)),
      )
      .to('out', kafka.sink({ topic: `${name}.out`, schema: json<Numbered>(), ...declared }));
  });
};

/** What the two dead letters say, by offset. */
export const letters = [
  { offset: String(MALFORMED_AT), reason: 'not-json', raw: 'cut', bytes: '1048450' },
  { offset: String(GROWS_AT), reason: 'unrepresentable', raw: undefined, bytes: undefined },
];

export const letterOf = (headers: readonly (readonly [string, string])[]) => {
  const of = (name: string) => headers.find(([each]) => each === `millrace.${name}`)?.[1];
  return { offset: of('offset'), reason: of('reason'), raw: of('raw'), bytes: of('bytes') };
};
