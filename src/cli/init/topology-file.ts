import { access, Imports, objectText, quoted, variableName } from './code.js';
import type { Input, Plan } from './plan.js';
import { keyText, rowName } from './samples/fields-text.js';
import { sinkText } from './sinks.js';
import { sourceText } from './sources.js';
import { taskText } from './tasks/index.js';

/** The topology's file, and the id of each sink. */
export interface TopologyFile {
  readonly text: string;
  readonly outputs: readonly string[];
}

/** A topology of a plan: a source, cleaning, a task, sinks. */
export function topologyFile(plan: Plan): TopologyFile {
  const { name, input, labels, target } = plan;
  const imports = new Imports();
  imports.add('millrace', 'topology');
  imports.add('millrace/connectors/kafka', 'kafka');
  const task = taskText(plan, imports);
  const rules = rulesText(plan, imports);
  const source = `.source(${quoted(input.id)}, ${sourceText(input, plan, imports, '      ')})`;
  const chain = [...dedupeText(input, imports), `.via('sound', validate(sound))`];
  const lines: string[] = [];
  if (labels !== undefined) {
    lines.push(
      '    // What became of the records, said later: the labels that the model learns from.',
      `    const labels = t.source(${quoted(labels.id)}, ${sourceText(labels, plan, imports, '    ')});`,
    );
  }
  const sinkOf = ({ id, result }: (typeof task.outputs)[number], indent: string) => {
    const name = task.outputs.length > 1 && target.name !== '' ? `${target.name}-${result.called}` : target.name;
    return `.to(${quoted(id)}, ${sinkText(target.kind, { result, name, plan, imports, indent })})`;
  };
  const [only, ...others] = task.outputs;
  const bringsLabels = plan.task === 'learn' && labels === undefined;
  lines.push(
    '    // Every step has an id of its own: its state belongs to that id, so keep it when you edit the step.',
  );
  if (only !== undefined && others.length === 0 && !bringsLabels) {
    lines.push(...chained(['    t', ...[source, ...chain, ...task.steps, sinkOf(only, '      ')]]));
  } else {
    lines.push(...chained(['    const cleaned = t', source, ...chain]));
    if (bringsLabels) lines.push(...ownLabels(plan, imports));
    if (only !== undefined && others.length === 0) {
      lines.push(...chained(['    cleaned', ...task.steps, sinkOf(only, '      ')]));
    } else {
      const names = objectText(
        task.outputs.map(({ id }) => [id, variableName(id)]),
        '    ',
      );
      lines.push(
        `    const ${names} = cleaned${task.steps.join('')};`,
        ...task.outputs.map((output) => `    ${variableName(output.id)}${sinkOf(output, '    ')};`),
      );
    }
  }
  if (plan.task === 'learn') imports.add('millrace/connectors/clickhouse', 'clickhouse');
  const around = [
    `deadLetters: kafka.deadLetterSink({ topic: ${quoted(`${name}.dead`)} })`,
    ...(plan.task === 'learn'
      ? [`metrics: clickhouse.metricsSink({ table: ${quoted(`${metricsTable(plan)}`)} })`]
      : []),
  ];
  const body = lines.join('\n');
  const about = [
    `// ${titles[plan.task]}.`,
    `// \`millrace check ${name}.ts\` looks for mistakes, \`millrace describe ${name}.ts\` prints what it guarantees.`,
  ];
  const declared = [...task.before, rules].join('\n');
  const text = [
    `${about.join('\n')}\n${imports.text()}`,
    declared,
    `export const ${variableName(name)} = topology(\n  ${quoted(name)},\n  { ${around.join(', ')} },\n  (t) => {\n${body}\n  },\n);\n`,
  ].join('\n');
  return { text, outputs: task.outputs.map(({ id }) => id) };
}

export const metricsTable = ({ name }: Pick<Plan, 'name'>): string =>
  `${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}_metrics`;

const titles = {
  route: 'Takes what is sound and divides it',
  learn: 'Predicts each record at once, and learns when its label comes',
  score: 'Scores each record with an ONNX model',
  count: 'Counts records by key and hour',
} as const;

/** What a record must be to go on; what fails goes to the dead letters with its reason. */
function rulesText({ input }: Plan, imports: Imports): string {
  imports.add('millrace', 'expectations', 'validate');
  imports.add(`./${input.shape.module}.js`, `type ${input.shape.record}`);
  const { key } = input;
  const blank = key.holds === 'text' ? `.matches(${quoted(key.name)}, /\\S/)` : '';
  return [
    '// The rules of a valid record; a record that breaks one goes to the dead letters with its reason.',
    `const sound = expectations<${input.shape.record}>().notNull(${quoted(key.name)})${blank};`,
    '',
  ].join('\n');
}

function dedupeText(input: Input, imports: Imports): string[] {
  const { shape, key } = input;
  if (shape.identity === undefined || shape.identity !== key.name) return [];
  imports.add('millrace', 'dedupe', 'hours');
  const row = rowName(input);
  return [`.via('dedupe', dedupe({ key: (${row}) => ${keyText(row, key)}, retention: hours(48), keysMax: 100_000 }))`];
}

/** Where records bring their own label: it is learnt from after it was predicted. */
function ownLabels({ input, label }: Plan, imports: Imports): string[] {
  const note = '    // Each record brings its own label: it is predicted first, and learnt from then.';
  if (label === undefined || !label.field.optional) return [note, '    const labels = cleaned;'];
  imports.add('millrace', 'filter');
  const row = rowName(input);
  const present = `(${access(row, label.field.name)} ?? null) !== null`;
  return [note, `    const labels = cleaned.via('labelled', filter((${row}) => ${present}));`];
}

/** A statement of calls, one a line. */
const chained = ([first = '', ...calls]: readonly string[]): string[] => [
  first,
  ...calls.map((call, i) => `      ${call}${i === calls.length - 1 ? ';' : ''}`),
];
