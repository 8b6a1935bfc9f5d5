import { literalOf, quoted, variableName } from './code.js';
import type { Input, Plan } from './plan.js';
import { rowName } from './samples/fields-text.js';
import { addedBy } from './tasks/score.js';
import { withFreeNames } from './tasks/scored.js';

/** A test beside the topology: one record through it, and what must not pass. */
export function testFile(plan: Plan, outputs: readonly string[]): string {
  const { name, input, labels } = plan;
  const row = rowName(input);
  const topology = variableName(name);
  const ownLabel = labels === undefined ? plan.label?.field.name : undefined;
  const types = labels === undefined ? [input] : [input, labels];
  const given = [
    `const ${row}: ${input.shape.record} = ${literalOf(rowOf(input, ownLabel), '')};`,
    ...(labels === undefined ? [] : [`const label: ${labels.shape.record} = ${literalOf(labelOf(plan), '')};`]),
  ];
  const feeds = [
    `  await run.pipe(${quoted(input.id)}, [${row}]);`,
    ...(labels === undefined ? [] : [`  await run.pipe(${quoted(labels.id)}, [label]);`]),
  ];
  const [first = ''] = outputs;
  const total = outputs.map((id) => `run.output(${quoted(id)}).length`).join(' + ');
  const cases = [testOf(titles[plan.task], topology, [...feeds, '  await run.finish();', ...seen(plan, first, total)])];
  if (input.shape.identity !== undefined && input.shape.identity === input.key.name) {
    cases.push(
      testOf('a record counts once, however often it arrives', topology, [
        `  await run.pipe(${quoted(input.id)}, [${row}, ${row}]);`,
        '  await run.finish();',
        "  assert.equal(run.counter('dedupe', 'duplicates'), 1);",
      ]),
    );
  }
  if (input.key.holds === 'text') {
    cases.push(
      testOf('a record without a key goes to the dead letters', topology, [
        `  await run.pipe(${quoted(input.id)}, [{ ...${row}, ${keyProperty(input)}: ' ' }]);`,
        '  await run.finish();',
        `  assert.equal(${total}, 0);`,
        `  assert.equal(run.deadLetters()[0]?.reason, ${quoted(`matches:${input.key.name}`)});`,
      ]),
    );
  }
  return [
    `// A topology is tested without a broker, in virtual time: npx tsx --test ${name}.test.ts`,
    "import assert from 'node:assert/strict';",
    "import { test } from 'node:test';",
    "import { TopologyTest } from 'millrace/testing';",
    `import { ${topology} } from './${name}.js';`,
    ...types.map(({ shape }) => `import type { ${shape.record} } from './${shape.module}.js';`),
    '',
    ...given,
    '',
    cases.join('\n'),
  ].join('\n');
}

const titles = {
  route: 'a valid record takes one route',
  learn: 'a record is predicted at once, and learnt from when its label comes',
  score: 'a record is scored',
  count: 'a record is counted',
} as const;

function seen({ task, input, model }: Plan, output: string, total: string): string[] {
  switch (task) {
    case 'route':
      return [`  assert.equal(${total}, 1);`];
    case 'learn':
      return [`  assert.equal(${total}, 1);`, "  assert.equal(run.counter('model', 'learned'), 1);"];
    case 'score':
      return [
        `  const [scored] = run.output(${quoted(output)}) as Readonly<Record<string, unknown>>[];`,
        ...withFreeNames(input, model === undefined ? [] : addedBy(model)).map(
          ({ name, type }) => `  assert.equal(typeof scored?.['${name}'], '${type}');`,
        ),
      ];
    case 'count':
      return [
        `  const [counted] = run.output(${quoted(output)}) as { readonly records: number }[];`,
        '  assert.equal(counted?.records, 1);',
      ];
  }
}

const testOf = (title: string, topology: string, lines: readonly string[]): string =>
  [
    `test(${quoted(title)}, async () => {`,
    `  const run = new TopologyTest(${topology});`,
    ...lines,
    '  await run.close();',
    '});',
    '',
  ].join('\n');

/** A row that has its key, its label where it brings one, and as few gaps as there are. */
function rowOf({ shape, key }: Input, label?: string) {
  const gaps = (row: (typeof shape.rows)[number]) =>
    shape.fields.filter(({ name }) => (row[name] ?? null) === null).length;
  const wanted = label === undefined ? [key.name] : [key.name, label];
  const keyed = shape.rows.filter((row) => wanted.every((name) => String(row[name] ?? '').trim() !== ''));
  return keyed.reduce<(typeof shape.rows)[number] | undefined>(
    (best, row) => (best === undefined || gaps(row) < gaps(best) ? row : best),
    undefined,
  );
}

/** What is said of that row: of the same key, at its own time. */
function labelOf({ input, labels }: Plan) {
  const key = rowOf(input)?.[input.key.name];
  const { shape, key: field } = labels as Input;
  const found = shape.rows.find((row) => String(row[field.name]) === String(key));
  return found ?? { ...rowOf(labels as Input), [field.name]: key };
}

const keyProperty = ({ key }: Input): string => (/^[A-Za-z_$][\w$]*$/.test(key.name) ? key.name : quoted(key.name));
