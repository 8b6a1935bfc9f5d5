import { packageFile, tsconfigFile } from '../starter/sources.js';
import { Imports } from './code.js';
import type { Input, Plan } from './plan.js';
import type { Field, Row } from './samples/fields.js';
import { timeUnitOf } from './samples/fields-text.js';
import { tableName, topicName } from './sinks.js';
import { timeMs, topicOf } from './sources.js';
import { taskText } from './tasks/index.js';
import { testFile } from './test-file.js';
import { metricsTable, topologyFile } from './topology-file.js';

/** Files by path, and what to do with them, in order. */
export interface Project {
  /** The file of the topology. */
  readonly topology: string;
  readonly files: ReadonlyMap<string, string>;
  readonly steps: readonly string[];
  /** How values were read that could be read otherwise. */
  readonly notes: readonly string[];
}

/** The files of a plan's topology. */
export function projectOf(plan: Plan): Project {
  const { name, input, labels } = plan;
  const topology = topologyFile(plan);
  const inputs = labels === undefined ? [input] : [input, labels];
  // Topics that others write are not in the embedded store.
  const where = inputs.some(({ shape }) => shape.registered) ? ' --profile cluster' : '';
  return {
    topology: `${name}.ts`,
    files: new Map([
      [`${name}.ts`, topology.text],
      [`${name}.test.ts`, testFile(plan, topology.outputs)],
      ...inputs.flatMap(({ shape }) => [...shape.files]),
      ...inputs.filter(isMadeUp).map((one): [string, string] => [dataFile(one), linesOf(one)]),
      ['tsconfig.json', tsconfigFile],
      ['package.json', packageFile],
    ]),
    steps: [
      `millrace check ${name}.ts${where}`,
      ...inputs.filter(isMadeUp).map((one) => produceStep(one, where)),
      `millrace run ${name}.ts --until-end${where}`,
      ...lookSteps(plan).map((step) => step + where),
    ],
    notes: inputs.flatMap(({ shape, time }) => [...shape.notes, ...unitNotes(shape.rows, time)]),
  };
}

function unitNotes(rows: readonly Row[], time: Field | undefined): readonly string[] {
  if (time?.holds !== 'number' || time.micros || rows.length === 0) return [];
  return [`${time.name}: numbers are ${timeUnitOf(rows.map((row) => row[time.name])).called} since 1970`];
}

/** Whether there is nothing to read before samples are sent. What lies in Redis, or is written by others, is not ours to make. */
const isMadeUp = ({ origin, shape }: Input): boolean =>
  origin.kind !== 'file' && origin.kind !== 'redis' && !shape.registered && shape.rows.length > 0;

const dataFile = ({ id }: Input): string => `data/${id}.ndjson`;

/** Rows in the order of their time, as `millrace produce` reads them: times are milliseconds. */
function linesOf({ shape, time }: Input): string {
  const at = (row: Row) => (time === undefined ? 0 : timeMs(row[time.name]));
  const rows = [...shape.rows].sort((a, b) => at(a) - at(b));
  return rows.map((row) => `${JSON.stringify(mapValues(row, plainOf))}\n`).join('');
}

const mapValues = (row: Row, to: (value: unknown) => unknown): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, to(value)]));

function plainOf(value: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plainOf);
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
    ? mapValues(value as Row, plainOf)
    : value;
}

function produceStep(input: Input, where: string): string {
  const { shape, time, key } = input;
  const flags = [
    ...(shape.schemaFile === undefined ? [] : [`--schema ${shape.schemaFile}`]),
    `--key ${argument(key.name)}`,
    ...(time === undefined || !isInMs(input) ? [] : [`--time ${argument(time.name)}`]),
  ];
  return `millrace produce ${topicOf(input)} ${flags.join(' ')}${where} < ${dataFile(input)}`;
}

/** `produce` reads milliseconds, and texts in ISO 8601. */
const isInMs = ({ shape, time }: Input): boolean =>
  time?.micros !== true &&
  (time?.holds !== 'number' || timeUnitOf(shape.rows.map((row) => row[time.name])).perMs === 1);

const argument = (name: string): string => (/^[\w.-]+$/.test(name) ? name : `"${name.replaceAll(/["\\$`]/g, '\\$&')}"`);

/** How to see what came out, where a command shows it. */
function lookSteps(plan: Plan): string[] {
  const { target, task } = plan;
  const { outputs } = taskText(plan, new Imports());
  const [output] = outputs;
  const looks: string[] = [];
  if (output !== undefined) {
    const name = outputs.length > 1 && target.name !== '' ? `${target.name}-${output.result.called}` : target.name;
    const given = { plan, result: output.result, name, imports: new Imports(), indent: '' };
    if (target.kind === 'clickhouse') looks.push(`millrace query "SELECT * FROM ${tableName(given)} LIMIT 3"`);
    if (target.kind === 'kafka' && output.result.schema === undefined)
      looks.push(`millrace tail ${topicName(given)} --limit 3`);
  }
  if (task === 'learn') {
    looks.push(
      `millrace query "SELECT toDate(eventTime) AS day, round(value, 3) AS rocAuc FROM ${metricsTable(plan)} WHERE name = 'roc_auc' ORDER BY day"`,
    );
  }
  return looks;
}
