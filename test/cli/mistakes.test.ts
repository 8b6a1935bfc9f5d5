import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveConfig } from '../../src/profiles/config.js';
import { openProfile } from '../../src/profiles/profiles.js';
import { millrace, millraceInOne, type Outcome, userFolder } from './millrace.js';

// What a newcomer does wrong: each mistake is answered with its cause, its place and a remedy.

const fields = (...more: readonly object[]) => [
  { name: 'id', type: 'string' },
  { name: 'customer', type: 'string' },
  { name: 'amount', type: 'double' },
  { name: 'at', type: 'long' },
  ...more,
];
const record = (...more: readonly object[]) =>
  JSON.stringify({ type: 'record', name: 'Order', fields: fields(...more) });

interface Parts {
  /** Steps behind the source, each with its dot. */
  readonly steps?: string;
  /** Statements before the source. */
  readonly before?: string;
  readonly time?: string;
  readonly definition?: string;
  readonly sink?: string;
}

/** A topology over orders; what is wrong with it comes as its parts. */
const flow = (name: string, { steps = '', before = '', time = 'o.at', definition, sink }: Parts = {}) => `
import { avro, csv, dedupe, featurize, filter, hours, impute, infer, innerJoin, joinTable, json, learn, map, millis, minutes, table, topology, window } from 'millrace';
import { clickhouse } from 'millrace/connectors/clickhouse';
import { file } from 'millrace/connectors/file';
import { kafka } from 'millrace/connectors/kafka';
import { adwin, featureView, ftrl, logisticRegression, numeric } from 'millrace/ml';
import { count, tumbling } from 'millrace/window';

const Order = avro({ subject: 'orders-value', ${definition ?? `definition: ${JSON.stringify(record())}`} });
const viewOf = (name) => featureView({ name, version: 1, columns: { amount: (o) => o.amount }, features: { amount: numeric('amount') } });
const learnFraud = (view, labelKey, more) => learn(logisticRegression({ optimizer: ftrl({ alpha: 0.1 }) }), {
  as: 'fraud', view, key: (o) => o.id, label: { key: labelKey, value: (l) => l.fraud, wait: hours(48) }, pendingMax: 1_000, ...more,
});

export const flow = topology('${name}', { deadLetters: kafka.deadLetterSink({ topic: '${name}.dead' }) }, (t) => {
  const labels = () => t.source('labels', kafka.source({ topic: 'labels', schema: json(), eventTime: (l) => l.at }));
  ${before}
  const orders = t.source('orders', kafka.source({ topic: 'orders', schema: Order, eventTime: (o) => ${time} }))${steps};
  orders.to('out', ${sink ?? `kafka.sink({ topic: '${name}.out', schema: json() })`});
});
`;

/** A model that learns under a detector of drift. */
const drifting = (drift: string) =>
  `.via('features', featurize(viewOf('orders'))).via('model', { labels: labels() }, learnFraud(viewOf('orders'), (l) => l.id, { drift: ${drift} }))`;
const scored = (more: string) =>
  `.via('risk', infer({ as: 'risk', batchMax: 16, waitMax: millis(5), providers: ['cpu'], ${more} }))`;
const windowed = (of: string) => `.via('hourly', window({ key: (o) => o.id, keysMax: 10, ${of} }))`;
const broken = (text: string) => flow('broken', { definition: `definition: ${JSON.stringify(text)}` });

interface Mistake extends Parts {
  /** Of the topology, and of its file. */
  readonly name: string;
  /** The whole file, where it is no topology over orders. */
  readonly file?: string;
  readonly args: readonly string[];
  readonly says: readonly [cause: string, place: string, remedy: string];
}

const CHECK = ['check'];
const RUN = ['run', '--until-end'];
const withColumn = (type: string) =>
  `clickhouse.tableSink({ table: 'orders', columns: { id: '${type}', amount: 'Float64' }, orderBy: ['amount'] })`;
const joined = (within: string) =>
  `.via('j', { right: payments }, innerJoin({ keys: { left: (o) => o.id, right: (p) => p.id }, within: ${within}, combine: (o) => o, entriesMax: 100 }))`;
const payments =
  "const payments = t.source('payments', kafka.source({ topic: 'payments', schema: json(), eventTime: (p) => p.at }));";

const mistakes = (busyPort: number, busyStore: string): readonly Mistake[] => [
  {
    name: 'misspelt-option',
    steps: ".via('once', dedupe({ key: (o) => o.id, retention: hours(1), keyMax: 10 }))",
    args: CHECK,
    says: ['misspelt-option: 1 problem\n', '  once (config): there is no option keyMax', 'did you mean keysMax?'],
  },
  {
    name: 'misspelt-source-option',
    before:
      "t.source('x', kafka.source({ topics: 'x', schema: json() })).to('y', kafka.sink({ topic: 'y', schema: json() }));",
    args: CHECK,
    says: ['there is no option topics', '  x (config): ', 'there are: topic, schema, eventTime,'],
  },
  {
    name: 'misspelt-time',
    time: 'o.att',
    args: RUN,
    says: ['100.0% of the records are dead letters', 'event-time of orders', '`millrace dlq show FILE`'],
  },
  {
    name: 'seconds',
    time: 'o.at / 1000',
    args: RUN,
    says: ['100.0% of the records are dead letters', 'event-time of orders', '`millrace dlq show FILE`'],
  },
  {
    name: 'seconds',
    args: ['dlq', 'show'],
    says: ['event time is 1767225600, decades before', '"step":"orders"', 'give milliseconds since 1970'],
  },
  {
    name: 'misspelt-field',
    steps: ".via('net', map((o) => ({ net: o.total.net })))",
    args: RUN,
    says: ["reading 'net') at orders[0]@0", 'where: net', 'with `validate` before this step'],
  },
  {
    name: 'no-key',
    steps: ".via('per-minute', window({ window: tumbling(minutes(1)), aggregate: { n: count() }, keysMax: 10 }))",
    args: CHECK,
    says: ['window: key is missing', 'where: no-key.ts:', 'such as (order) => order.id'],
  },
  {
    name: 'no-retention',
    steps: ".via('once', dedupe({ key: (o) => o.id, keysMax: 10 }))",
    args: CHECK,
    says: ['the retention is missing', '  once (config): ', 'such as hours(24)'],
  },
  {
    name: 'duration-for-an-interval',
    before: payments,
    steps: joined('minutes(5)'),
    args: CHECK,
    says: [
      'within is 300000',
      'where: duration-for-an-interval.ts:',
      'such as { before: minutes(0), after: hours(1) }',
    ],
  },
  {
    name: 'unequal-partitions',
    before: payments,
    steps: joined('{ before: minutes(5), after: minutes(5) }'),
    args: CHECK,
    says: [
      'payments has 3 partitions, orders has 2',
      '  orders (config): ',
      "the stream of orders through .repartition('by-key', { key, schema })",
    ],
  },
  {
    name: 'foreign-key',
    before:
      "const customers = t.source('customers', kafka.tableSource({ topic: 'customers', schema: json(), eventTime: (c) => c.at })).via('rows', table({ keysMax: 100 }));",
    steps:
      ".via('named', { table: customers }, joinTable({ key: (o) => o.customer, combine: (o, c) => ({ ...o, name: c.name }), keysMax: 100, pendingMax: 100 }))",
    args: RUN,
    says: [
      'of the records of named found no row and were dropped',
      'of named',
      "repartition('by-key', { key, schema })",
    ],
  },
  {
    name: 'no-topic',
    before: payments.replace("topic: 'payments'", "topic: 'paymnets'"),
    steps: joined('{ before: minutes(5), after: minutes(5) }'),
    args: CHECK,
    says: ['topic paymnets does not exist', '  payments (source): ', 'topics that exist: customers, '],
  },
  {
    name: 'no-schema',
    definition: '',
    args: CHECK,
    says: ['schema orders-value has no definition', '  orders (schema): ', 'give it a file or a definition'],
  },
  {
    name: 'no-schema-file',
    definition: "file: new URL('./ordr.avsc', import.meta.url)",
    args: CHECK,
    says: ['cannot read the schema file', '  orders (schema): ', 'beside the module that names it'],
  },
  {
    name: 'incompatible',
    definition: `definition: ${JSON.stringify(record({ name: 'currency', type: 'string' }))}`,
    args: CHECK,
    says: [
      'currency: it is not written, and has no default',
      '  orders (schema): ',
      'give fields that it lacks a default',
    ],
  },
  {
    name: 'column-type',
    sink: withColumn('UInt32'),
    args: RUN,
    says: ['100.0% of the records are dead letters', 'unrepresentable of out', '`millrace dlq show FILE`'],
  },
  {
    name: 'column-type',
    args: ['dlq', 'show'],
    says: ['column id (UInt32) has no room for', '"step":"out"', 'column id (UInt32)'],
  },
  {
    name: 'table-of-another-type',
    sink: withColumn('String'),
    args: ['check', '--profile', 'embedded'],
    says: ['column id is UInt32, declared is String', "  out: table 'orders", 'hint: '],
  },
  {
    name: 'two-ids',
    steps: ".via('f', filter((o) => o.amount > 0)).via('f', filter((o) => o.amount < 9))",
    args: CHECK,
    says: ['the id "f" is used 2 times', '  f (config): ', 'a unique id'],
  },
  {
    name: 'no-export',
    file: flow('no-export').replace('export const', 'const'),
    args: CHECK,
    says: ['exports no topology', 'where: no-export.ts', 'is `export` missing before it?'],
  },
  {
    name: 'default-export',
    file: `${flow('default-export').replace('export const', 'const')}export default () => flow;\n`,
    args: CHECK,
    says: [
      'exports no topology, only default (function)',
      'where: default-export.ts',
      "export const mine = topology('mine'",
    ],
  },
  {
    name: 'other-entry-point',
    file: "import { tumbling } from 'millrace';\nexport const size = tumbling(1);\n",
    args: CHECK,
    says: ["an export named 'tumbling'", 'where: other-entry-point.ts', "import { tumbling } from 'millrace/window'"],
  },
  {
    name: 'unknown-operator',
    file: "import { deduplicate } from 'millrace';\nexport const once = deduplicate({});\n",
    args: CHECK,
    says: ["an export named 'deduplicate'", 'where: unknown-operator.ts', 'did you mean dedupe?'],
  },
  {
    name: 'async',
    steps: ".via('rate', map(async (o) => ({ ...o, rate: 1 })))",
    args: CHECK,
    says: ['is an async function', '  rate (config): ', 'use lookup'],
  },
  {
    name: 'unknown-column',
    file: flow('unknown-column', { steps: ".via('features', featurize(viewOf('orders')))" }).replace(
      "numeric('amount')",
      "numeric('amuont')",
    ),
    args: CHECK,
    says: ['feature amount needs the column amuont', 'where: orders', 'the view has amount'],
  },
  {
    name: 'no-features',
    steps: ".via('model', { labels: labels() }, learnFraud(viewOf('orders'), (l) => l.id))",
    args: RUN,
    says: ['the record has no field `features`', 'where: model', 'featurize(view)'],
  },
  {
    name: 'other-view',
    steps:
      ".via('features', featurize(viewOf('orders'))).via('model', { labels: labels() }, learnFraud(viewOf('other'), (l) => l.id))",
    args: RUN,
    says: ['the features are of view orders', 'where: model', 'featurize with the view of the model'],
  },
  {
    name: 'label-key',
    steps:
      ".via('features', featurize(viewOf('orders'))).via('model', { labels: labels() }, learnFraud(viewOf('orders'), (l) => l.review)).via('short', map(({ id }) => ({ id })))",
    args: RUN,
    says: ['100.0% of the labels matched no record', 'model.labels', 'are the keys the same on both sides?'],
  },
  {
    name: 'no-model',
    steps:
      ".via('features', featurize(viewOf('orders'))).via('risk', infer({ model: 'gone.onnx', as: 'risk', view: viewOf('orders'), batchMax: 16, waitMax: millis(5), providers: ['cpu'] })).via('short', map(({ id }) => ({ id })))",
    args: ['check', '--models'],
    says: ['gone.onnx cannot be read', '  risk (model): ', 'relative paths start at the working directory'],
  },
  {
    name: 'delimiter',
    file: flow('delimiter').replace(
      /kafka\.source\(\{ topic: 'orders', schema: Order,/,
      "file.source({ path: 'in/*.csv', schema: csv({ columns: { id: 'text', at: 'number' } }),",
    ),
    args: RUN,
    says: ['100.0% of the records are dead letters', 'not-csv of orders', '`millrace dlq show FILE`'],
  },
  {
    name: 'delimiter',
    args: ['dlq', 'show'],
    says: ['1 cell where 2 columns are declared', '"step":"orders"', 'delimiter: \\";\\"'],
  },
  {
    name: 'misspelt-inside',
    steps: drifting("{ detectr: adwin(), act: 'replace' }"),
    args: CHECK,
    says: ['learn: there is no option drift.detectr', 'where: misspelt-inside.ts:', 'did you mean detector?'],
  },
  {
    name: 'not-called',
    steps: drifting("{ detector: adwin, act: 'replace' }"),
    args: CHECK,
    says: ['learn: drift.detector is of type function', 'where: not-called.ts:', 'a DriftDetector, such as adwin()'],
  },
  {
    name: 'misspelt-choice',
    steps: drifting("{ detector: adwin(), act: 'replce' }"),
    args: CHECK,
    says: ["drift.act is 'replce'", '  model (config): ', 'choose from event, warn, reset, replace'],
  },
  {
    name: 'learner-not-called',
    steps:
      ".via('features', featurize(viewOf('orders'))).via('model', { labels: labels() }, learn(logisticRegression, { as: 'fraud', view: viewOf('orders'), key: (o) => o.id, label: { key: (l) => l.id, value: (l) => l.fraud, wait: hours(4) }, pendingMax: 9 }))",
    args: CHECK,
    says: ['the learner is missing, or is not called', '  model (config): ', 'give learn one with its options'],
  },
  {
    name: 'misspelt-in-a-list',
    steps: scored("model: 'a.onnx', fallback: [{ modle: 'small.onnx' }]"),
    args: CHECK,
    says: ['there is no option fallback[].modle', '  risk (config): ', 'did you mean model?'],
  },
  {
    name: 'model-left-out',
    steps: scored(''),
    args: CHECK,
    says: ['infer: model is missing', 'where: model-left-out.ts:', "new URL('risk.onnx', import.meta.url)"],
  },
  {
    name: 'length-for-a-window',
    steps: windowed('window: hours(1), aggregate: { n: count() }'),
    args: CHECK,
    says: ['window: window is 3600000', 'where: length-for-a-window.ts:', 'such as tumbling(hours(1))'],
  },
  {
    name: 'aggregate-not-called',
    steps: windowed('window: tumbling(hours(1)), aggregate: { n: count }'),
    args: CHECK,
    says: [
      'window: Cannot read properties',
      'where: aggregate-not-called.ts:',
      'or a function is not called; there are: key, window',
    ],
  },
  {
    name: 'misspelt-way',
    steps: ".via('filled', impute({ amount: 'meen' }))",
    args: CHECK,
    says: ["amount: there is no way 'meen'", '  filled (config): ', 'use last, mean, median, mode, nearest, model'],
  },
  {
    name: 'operator-not-called',
    steps: ".via('once', dedupe)",
    args: CHECK,
    says: ['the step "once" has no operator', 'where: operator-not-called.ts:', ".via('once', dedupe({ ... }))"],
  },
  {
    name: 'step-without-id',
    steps: '.via(filter((o) => o.amount > 0))',
    args: CHECK,
    says: ['a step has no id', 'where: step-without-id.ts:', ".via('id', operator)"],
  },
  {
    name: 'no-dead-letters',
    file: flow('no-dead-letters').replace(/\{ deadLetters: [^}]*\}\) \}/, '{}'),
    args: CHECK,
    says: ['"no-dead-letters" has no dead letters', 'where: no-dead-letters.ts:', 'kafka.deadLetterSink({ topic:'],
  },
  {
    name: 'broken',
    file: broken('{ "type": "record", '),
    args: CHECK,
    says: ['schema orders-value cannot be read: ', '  orders (schema): ', '`millrace schema types FILE`'],
  },
  {
    name: 'order-by',
    sink: "clickhouse.tableSink({ table: 'ordered', columns: { id: 'String' }, orderBy: ['at'] })",
    args: CHECK,
    says: ['orderBy has at, which the table has not', '  out (config): ', 'order by columns: id'],
  },
  {
    name: 'misspelt-type',
    sink: "clickhouse.tableSink({ table: 'typed', columns: { id: 'Strng' }, orderBy: ['id'] })",
    args: RUN,
    says: [
      'Unknown data type family: Strng',
      'cannot set up table typed',
      'give each column a type that ClickHouse has',
    ],
  },
  {
    name: 'two-writers',
    sink: "kafka.sink({ topic: 'a', schema: json() })); orders.to('again', kafka.sink({ topic: 'a', schema: json() })",
    args: CHECK,
    says: ['writes to the same topic a as "out"', '  again (config): ', 'give each sink its own target'],
  },
  {
    name: 'reads-what-it-writes',
    sink: "kafka.sink({ topic: 'orders', schema: Order })",
    args: CHECK,
    says: ['writes to the topic orders that "orders" reads', '  out (config): ', 'write to another topic'],
  },
  {
    name: 'path-for-a-schema',
    sink: "kafka.sink({ topic: 'a', schema: 'order.avsc' })",
    args: CHECK,
    says: ['schema is of type string', '  out (config): ', 'give a schema, such as json()'],
  },
  {
    name: 'other-name-of-an-input',
    before: payments,
    steps: joined('{ before: minutes(5), after: minutes(5) }').replace('right: payments', 'payments'),
    args: CHECK,
    says: [
      'the input "right" is missing',
      '  j (config): ',
      "pass the stream: .via('j', { right: aStream }, operator)",
    ],
  },
  {
    name: 'busy-port',
    args: [...RUN, '--port', String(busyPort)],
    says: ['address already in use', 'where: --port', 'choose a free port'],
  },
  {
    name: 'busy-store',
    args: [...RUN, '--data', busyStore],
    says: ['the embedded store is in use by process', `where: ${busyStore}`, 'stop that process'],
  },
  {
    name: 'profile',
    args: ['check', '--profile', 'clutser'],
    says: ["'clutser' is invalid", "'--profile <name>'", 'Allowed choices are embedded, cluster'],
  },
  {
    name: 'command-option',
    args: ['run', '--until-ed'],
    says: ["unknown option '--until-ed'", '--until-ed', 'Did you mean --until-end?'],
  },
];

const START = Date.UTC(2026, 0, 1);
const lines = (rows: number, row: (i: number) => object) =>
  Array.from({ length: rows }, (_, i) => JSON.stringify({ ...row(i), at: START + i * 60_000 })).join('\n');

describe('a typical mistake', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { folder, remove } = userFolder({ 'order.avsc': record(), 'in/a.csv': 'a;1\nb;2\n', 'busy/.keep': '' });
  const busyStore = join(folder, 'busy');
  const owner = await openProfile(resolveConfig({ flags: { data: busyStore }, env: {} }));
  const cases = mistakes((server.address() as AddressInfo).port, busyStore);
  const outcomes: Outcome[] = [];

  beforeAll(async () => {
    const produce = (input: string, ...args: string[]) =>
      millrace(['produce', ...args, '--key', 'id', '--time', 'at'], { folder, input });
    const order = (i: number) => ({ id: `o${i}`, customer: `c${i % 8}`, amount: i });
    await produce(lines(40, order), 'orders', '--schema', 'order.avsc', '--partitions', '2');
    await produce(lines(1, order), 'payments', '--partitions', '3');
    await produce(
      lines(40, (i) => ({ id: `o${i}`, review: `r${i}`, fraud: i % 2 === 0 })),
      'labels',
      '--partitions',
      '2',
    );
    await produce(
      lines(8, (i) => ({ id: `c${i}`, name: `n${i}` })),
      'customers',
      '--partitions',
      '2',
    );
    const files = new Map<string, string>();
    for (const { name, file, ...parts } of cases) if (!files.has(name)) files.set(name, file ?? flow(name, parts));
    const commands = cases.map(({ name, args }) => [...args, `${name}.ts`]);
    outcomes.push(...(await millraceInOne(commands, { folder, files })));
  }, 120_000);
  afterAll(async () => {
    await owner.close();
    server.close();
    remove();
  });

  it.each(cases.map(({ name, args, says }, index) => [`${args.join(' ')}: ${name}`, index, says] as const))(
    '%s',
    (_title, index, says) => {
      const { code, out, err } = outcomes[index] as Outcome;
      const said = `${out}${err}`;
      for (const part of says) expect(said).toContain(part);
      if (cases[index]?.args[0] === 'check') expect(code).toBeGreaterThan(0);
    },
  );
});
