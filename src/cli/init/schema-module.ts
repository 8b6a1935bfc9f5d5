import type { CsvForm } from '../../schema/plain/csv-codec.js';
import type { Declaration } from '../../schema/typescript/index.js';
import { typesText } from '../../schema/typescript/index.js';
import { objectText, quoted } from './code.js';

/** What a schema's module makes its value of. */
export type SchemaSource =
  | ({ readonly format: 'csv' } & CsvForm)
  | { readonly format: 'json' }
  | {
      readonly format: 'avro' | 'json-schema' | 'protobuf';
      /** Of the text, from the module. */
      readonly file: string;
      readonly message?: string | undefined;
      /** Payloads are the text alone, without the id of a registry in front. */
      readonly bare: boolean;
    };

const makers = { csv: 'csv', json: 'json', avro: 'avro', 'json-schema': 'jsonSchema', protobuf: 'protobuf' } as const;

/** The module of a schema: its types, and the value that topologies are given. */
export function schemaModule(
  source: SchemaSource,
  { record, schema, subject }: { readonly record: string; readonly schema: string; readonly subject: string },
  declared: readonly Declaration[],
): string {
  const maker = makers[source.format];
  const options = objectText([['subject', quoted(subject)], ...optionsOf(source)], '');
  const type = source.format === 'csv' ? '' : `<${record}>`;
  return [
    `import { ${maker} } from 'millrace';`,
    typesText(declared),
    `export const ${schema} = ${maker}${type}(${options});`,
    '',
  ]
    .join('\n\n')
    .replace(/\n\n$/, '\n');
}

function optionsOf(source: SchemaSource): [string, string][] {
  switch (source.format) {
    case 'json':
      return [];
    case 'csv': {
      const columns = Object.entries(source.columns).map(([name, type]): [string, string] => [name, quoted(type)]);
      const delimiter: [string, string][] = source.delimiter === ',' ? [] : [['delimiter', quoted(source.delimiter)]];
      const { decimal, dates, nullLiteral } = source;
      const others = Object.entries({ decimal, dates, nullLiteral }).flatMap(([name, value]): [string, string][] =>
        value === undefined ? [] : [[name, quoted(value)]],
      );
      return [['columns', objectText(columns, '  ')], ...delimiter, ...others];
    }
    default:
      return [
        ['file', `new URL(${quoted(source.file)}, import.meta.url)`],
        ...(source.message === undefined ? [] : ([['message', quoted(source.message)]] as [string, string][])),
        ...(source.bare ? ([['framing', quoted('none')]] as [string, string][]) : []),
      ];
  }
}
