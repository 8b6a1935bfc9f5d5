import { access, type Imports, objectText } from '../code.js';
import type { Plan } from '../plan.js';
import { interfaceOf, numberField, type ResultField, timeField } from '../results.js';
import type { Field } from '../samples/fields.js';
import { keyText, rowName } from '../samples/fields-text.js';
import { numbersOf } from './features.js';
import { INDENT, type TaskText } from './task-text.js';

/** Counts and sums by key and hour. */
export function countText(plan: Plan, imports: Imports): TaskText {
  imports.add('millrace', 'hours', 'window');
  imports.add('millrace/window', 'count', 'tumbling');
  const { input } = plan;
  const row = rowName(input);
  const taken = ['key', 'startMs', 'endMs', 'records'];
  const sums = numbersOf(plan)
    .filter(({ name }) => !taken.includes(name))
    .slice(0, 3);
  if (sums.length > 0) imports.add('millrace/window', 'sum');
  const amountOf = ({ name, optional }: Field) => `${access(row, name)}${optional ? ' ?? 0' : ''}`;
  const aggregate = objectText(
    [
      ['records', 'count()'],
      ...sums.map((field): [string, string] => [field.name, `sum((${row}) => ${amountOf(field)})`]),
    ],
    `${INDENT}  `,
  );
  const options = objectText(
    [
      ['key', `(${row}) => ${keyText(row, { ...input.key, optional: false })}`],
      ['window', 'tumbling(hours(1))'],
      ['aggregate', aggregate],
      ['keysMax', '100_000'],
    ],
    INDENT,
  );
  const key: ResultField = {
    name: 'key',
    type: input.key.holds === 'number' ? 'number' : 'string',
    holds: input.key.holds === 'number' ? 'number' : 'text',
    optional: false,
  };
  const fields = [
    key,
    timeField('startMs'),
    timeField('endMs'),
    numberField('records'),
    ...sums.map(({ name }) => numberField(name)),
  ];
  return {
    before: [`// A row for each ${plan.input.key.name} and hour.\n${interfaceOf('Counted', fields)}`],
    steps: [`.via('hourly', window(${options}))`],
    outputs: [
      {
        id: 'results',
        result: { type: 'Counted', schema: undefined, fields, key, identity: ['key', 'startMs'], called: 'hourly' },
      },
    ],
  };
}
