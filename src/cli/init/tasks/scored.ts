import { access, type Imports, isName, objectText, variableName } from '../code.js';
import type { Input, Plan } from '../plan.js';
import { freeName, interfaceOf, type ResultField, timeField } from '../results.js';
import { rowName, timeText } from '../samples/fields-text.js';
import { INDENT, type TaskText } from './task-text.js';

interface Scoring {
  readonly before: readonly string[];
  readonly steps: readonly string[];
  /** The field that the model adds, and what is kept of it. */
  readonly as: string;
  readonly adds: readonly Added[];
}

/** A field of what is written, and its expression of the model's answer. */
export interface Added {
  readonly name: string;
  readonly type: 'number' | 'string' | 'boolean';
  readonly of: (answer: string) => string;
}

/** A part of the answer, under its own name. */
export const partOf = (name: string, type: Added['type']): Added => ({
  name,
  type,
  of: (answer) => `${answer}.${name}`,
});

const holds = { number: 'number', string: 'text', boolean: 'boolean' } as const;

/** The key of what is written, and its time if there is one. */
function ownFields({ key, time }: Input): readonly [ResultField, ...ResultField[]] {
  const own: ResultField = {
    ...key,
    name: isName(key.name) ? key.name : variableName(key.name),
    type: key.type.replace(/ \| null$/, ''),
    optional: false,
  };
  return time === undefined ? [own] : [own, timeField(freeName('at', [own]))];
}

/** The fields that a model adds to a record's key and time, each under a name of its own. */
export function withFreeNames(input: Input, adds: readonly Added[]): readonly Added[] {
  const taken: { readonly name: string }[] = [...ownFields(input)];
  return adds.map((one) => {
    const name = freeName(one.name, taken);
    taken.push({ name });
    return { ...one, name };
  });
}

/** A model's answer beside the record's key and time. */
export function scored({ input }: Plan, imports: Imports, { before, steps, as, adds }: Scoring): TaskText {
  imports.add('millrace', 'map');
  const row = rowName(input);
  const { time } = input;
  const own = ownFields(input);
  const [key, at] = own;
  const added = withFreeNames(input, adds);
  const fields: ResultField[] = [
    ...own,
    ...added.map(({ name, type }): ResultField => ({ name, type, holds: holds[type], optional: false })),
  ];
  const rows = time === undefined ? [] : input.shape.rows.map((one) => one[time.name]);
  const properties: [string, string][] = [
    [key.name, access(row, input.key.name)],
    ...(time === undefined || at === undefined ? [] : ([[at.name, timeText(row, time, rows)]] as [string, string][])),
    ...added.map(({ name, of }): [string, string] => [name, of(`${row}.${as}`)]),
  ];
  const object = objectText(properties, INDENT);
  return {
    before: [`// What is written of each ${row}.\n${interfaceOf('Scored', fields)}`, ...before],
    steps: [...steps, `.via('scored', map((${row}): Scored => (${object})))`],
    outputs: [
      {
        id: 'results',
        result: {
          type: 'Scored',
          schema: undefined,
          fields,
          key,
          identity: input.shape.identity === input.key.name ? [key.name] : [],
          called: 'scored',
        },
      },
    ],
  };
}
