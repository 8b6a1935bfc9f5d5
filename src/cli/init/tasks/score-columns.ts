import { sizeOf, tensorArrays } from '../../../core/inference.js';
import { access, type Imports, objectText, quoted, variableName } from '../code.js';
import type { ColumnInput, ColumnOutput, Columns, Plan } from '../plan.js';
import { rowName } from '../samples/fields-text.js';
import { columnText } from './features.js';
import type { Added } from './scored.js';
import { INDENT } from './task-text.js';

/** The options of `infer` for a model with an input for each column: `inputs` and `outputs`. */
export function columnOptions(plan: Plan, { inputs, outputs }: Columns, imports: Imports): [string, string][] {
  const { input } = plan;
  const row = rowName(input);
  imports.add(`./${input.shape.module}.js`, `type ${input.shape.record}`);
  const fill = (column: ColumnInput): [string, string] => {
    const tensor = `({ shape: ${JSON.stringify(column.shape)}, data: ${dataText(row, column, plan)} })`;
    return [column.name, `(${row}: ${input.shape.record}) => ${tensor}`];
  };
  const declare = ({ name, type, shape }: ColumnOutput): [string, string] => {
    const axes: [string, string][] = shape.length === 0 ? [] : [['shape', JSON.stringify(shape)]];
    return [name, objectText([['type', quoted(type)], ...axes], `${INDENT}    `)];
  };
  return [
    ['inputs', objectText(inputs.map(fill), `${INDENT}  `)],
    ['outputs', objectText(outputs.map(declare), `${INDENT}  `)],
  ];
}

function dataText(row: string, { type, field }: ColumnInput, { input }: Plan): string {
  const value = access(row, field.name);
  if (type === 'string') {
    const given = field.optional ? `${value} ?? ''` : value;
    return field.holds === 'text' ? `[${given}]` : `[String(${given})]`;
  }
  const number = columnText(row, field, input);
  if (type === 'bool') return `Uint8Array.of(Number(Boolean(${value})))`;
  const isBig = type === 'int64' || type === 'uint64';
  return `${tensorArrays[type].name}.of(${isBig ? `BigInt(Math.round(${number}))` : number})`;
}

const types = { string: 'string', bool: 'boolean' } as const;

/** What is kept of each output: a value, of two the second (the probability that it is true), and of more the largest. */
export function columnsAdded({ outputs }: Columns): readonly Added[] {
  return outputs.map(({ name: output, type, shape }): Added => {
    const size = sizeOf(shape);
    const typeName = type in types ? types[type as keyof typeof types] : 'number';
    const of = (answer: string) => {
      const value = access(`${answer}.outputs`, output);
      if (shape.length === 0) return value;
      return size > 2 ? `Math.max(...${value})` : `${value}[${size - 1}] as ${typeName}`;
    };
    return { name: variableName(output), type: typeName, of };
  });
}
