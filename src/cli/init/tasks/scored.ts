import { access, type Imports, isName, objectText, variableName } from '../code.js';
import type { Plan } from '../plan.js';
import { freeName, interfaceOf, type ResultField, timeField } from '../results.js';
import { rowName, timeText } from '../samples/fields-text.js';
import { INDENT, type TaskText } from './task-text.js';

interface Scoring {
  readonly before: readonly string[];
  readonly steps: readonly string[];
  /** The field that the model adds, and what is kept of it. */
  readonly as: string;
  readonly adds: readonly (readonly [name: string, type: 'number' | 'string'])[];
}

/** A model's answer beside the record's key and time. */
export function scored({ input }: Plan, imports: Imports, { before, steps, as, adds }: Scoring): TaskText {
  imports.add('millrace', 'map');
  const row = rowName(input);
  const { time } = input;
  const key: ResultField = {
    ...input.key,
    name: isName(input.key.name) ? input.key.name : variableName(input.key.name),
    type: input.key.type.replace(/ \| null$/, ''),
    optional: false,
  };
  const at = freeName('at', [key]);
  const fields: ResultField[] = [
    key,
    ...(time === undefined ? [] : [timeField(at)]),
    ...adds.map(
      ([name, type]): ResultField => ({
        name: freeName(name, [key]),
        type,
        holds: type === 'number' ? 'number' : 'text',
        optional: false,
      }),
    ),
  ];
  const rows = time === undefined ? [] : input.shape.rows.map((one) => one[time.name]);
  const properties: [string, string][] = [
    [key.name, access(row, input.key.name)],
    ...(time === undefined ? [] : ([[at, timeText(row, time, rows)]] as [string, string][])),
    ...adds.map(([name]): [string, string] => [freeName(name, [key]), `${row}.${as}.${name}`]),
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
