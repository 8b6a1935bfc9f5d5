import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetWriteFile } from 'hyparquet-writer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answers, planOf } from '../../../src/cli/init/complete.js';
import { targetKinds } from '../../../src/cli/init/places.js';
import { tasks } from '../../../src/cli/init/plan.js';
import { projectOf } from '../../../src/cli/init/project.js';
import { writeFiles } from '../../../src/cli/init/write-files.js';
import { tsconfigFile as starterConfig } from '../../../src/cli/starter/sources.js';
import { repository } from '../../import-graph.js';
import { millrace, userFolder } from '../millrace.js';

const run = promisify(execFile);

const orders = Array.from({ length: 300 }, (_, n) => ({
  'order id': `o${n}`,
  customer: `c${n % 9}`,
  at: new Date(Date.UTC(2026, 0, 1) + n * 600_000).toISOString(),
  amount: (n * 37) % 101,
  items: n % 5,
  note: n % 3 === 0 ? null : `note ${n % 4}`,
  returned: n % 7 === 0,
}));
const cell = (value: unknown) => (String(value ?? '').includes(',') ? `"${value}"` : String(value ?? ''));
const lines = (rows: readonly string[]) => rows.map((row) => `${row}\n`).join('');

const click = {
  type: 'record',
  name: 'Click',
  fields: [
    { name: 'clickId', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['LEFT', 'RIGHT'] } },
    { name: 'x', type: 'double' },
    { name: 'y', type: ['null', 'double'], default: null },
    { name: 'page', type: { type: 'record', name: 'Page', fields: [{ name: 'path', type: 'string' }] } },
    { name: 'bought', type: 'boolean' },
  ],
};

const tick = {
  type: 'record',
  name: 'Tick',
  fields: [
    { name: 'symbol', type: 'string' },
    { name: 'tradedAt', type: { type: 'long', logicalType: 'timestamp-micros' } },
    { name: 'seen', type: ['null', { type: 'long', logicalType: 'timestamp-micros' }], default: null },
    { name: 'price', type: 'double' },
    { name: 'bid', type: 'double' },
    { name: 'volume', type: 'int' },
  ],
};

const { folder, remove } = userFolder({
  'package.json': JSON.stringify({ type: 'module' }),
  'data/orders.csv': lines([
    Object.keys(orders[0] ?? {}).join(';'),
    ...orders.map((row) => Object.values(row).map(cell).join(';')),
  ]),
  'data/orders.ndjson': lines(orders.map((row) => JSON.stringify(row))),
  'click.avsc': JSON.stringify(click),
  'tick.avsc': JSON.stringify(tick),
  'data/words.csv': lines(
    orders.map(({ customer, at, returned, amount, items }, n) =>
      [customer, at, returned ? 'yes' : 'no', amount, items, n].join(),
    ),
  ),
});

/** Each kind of source, in each format that one can have. */
const origins: Readonly<Record<string, Answers>> = {
  sample: { from: 'sample' },
  topic: { from: 'kafka:visits.v1' },
  'topic-avro': { from: 'kafka:clicks', schema: join(folder, 'click.avsc') },
  'topic-protobuf': {
    from: 'kafka:shop-orders',
    schema: join(repository, 'schemas/order.v1.proto#millrace.shop.v1.Order'),
    label: 'channel=SHOP',
  },
  'topic-json-schema': {
    from: 'kafka:readings',
    schema: join(repository, 'schemas/reading.v1.schema.json'),
    label: 'quality=good',
  },
  'topic-sampled': { from: 'kafka:shop', schema: join(folder, 'data/orders.ndjson') },
  csv: { from: join(folder, 'data/orders.csv'), key: 'order id' },
  ndjson: { from: join(folder, 'data/orders.ndjson'), key: 'customer', label: 'amount>=50' },
  parquet: { from: join(folder, 'data/*.parquet'), key: 'customer' },
  requests: { from: 'http:8181' },
  'requests-avro': { from: 'http', name: 'clicks', schema: join(folder, 'click.avsc') },
  stream: { from: 'redis:orders' },
  'topic-micros': { from: 'kafka:ticks.v1', schema: join(folder, 'tick.avsc'), label: 'price>=50' },
  'topic-spaced': { from: 'kafka:spaced', schema: join(folder, 'data/orders.ndjson'), key: 'order id' },
  'csv-without-header': {
    from: join(folder, 'data/words.csv'),
    header: false,
    key: 'c1',
    time: 'c2',
    label: 'c3=yes',
  },
};
const model = join(repository, 'test/inference/models/sigmoid.onnx');

/** Every origin with every target, and all tasks with each of both. */
const combinations = Object.keys(origins).flatMap((origin, i) =>
  targetKinds.map((to, j) => ({ origin, task: tasks[(i + j) % tasks.length] ?? 'route', to })),
);
const nameOf = ({ origin, task, to }: (typeof combinations)[number]) => `${origin}-${task}-${to}`;

describe('topologies that init writes', () => {
  const steps = new Map<string, { readonly topology: string; readonly steps: readonly string[] }>();

  beforeAll(async () => {
    symlinkSync(join(repository, 'node_modules/@types'), join(folder, 'node_modules/@types'));
    const columnData = Object.keys(orders[0] ?? {}).map((name) => ({
      name,
      data: orders.map((row) => row[name as 'note']),
    }));
    parquetWriteFile({ filename: join(folder, 'data/orders.parquet'), columnData });
    for (const one of combinations) {
      const at = join(folder, nameOf(one));
      const plan = await planOf({ ...origins[one.origin], do: one.task, to: one.to, model }, at, async () => 3);
      const project = projectOf(plan);
      writeFiles(at, project.files);
      steps.set(nameOf(one), { topology: `${plan.name}.ts`, steps: project.steps });
    }
  }, 120_000);
  afterAll(remove);

  it('pass checks', async () => {
    const list = [...steps].map(([name, { topology }]) => `./${name}/${topology}`);
    const script = [
      `import { check } from '${join(repository, 'src/topology/index.ts')}';`,
      ...list.map((path, i) => `import * as t${i} from '${path}';`),
      `for (const [path, module] of [${list.map((path, i) => `['${path}', t${i}]`).join(', ')}])`,
      '  for (const topology of Object.values(module)) console.log(JSON.stringify([path, check(topology)]));',
    ];
    writeFileSync(join(folder, 'check.ts'), script.join('\n'));
    const { stdout } = await tsx('check.ts');
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(found).toEqual(list.map((path) => [path, []]));
  }, 120_000);

  it('have types that hold', async () => {
    const [{ topology = '' } = {}] = steps.values();
    expect(topology).not.toBe('');
    const options = {
      ...JSON.parse(starterConfig).compilerOptions,
      customConditions: ['millrace-source'],
      lib: ['es2023', 'es2024.string'], // that of our sources, which users do not compile
      rootDir: '/',
    };
    const config = { compilerOptions: options, include: [...steps.keys()].map((name) => `${name}/**/*.ts`) };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const tsc = join(repository, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', folder]).catch((error) => error as { stdout: string });
    expect(stdout).toBe('');
  }, 120_000);

  it('pass their own tests', async () => {
    const tests = [...steps].map(
      ([name, { topology }]) => `import './${name}/${topology.replace('.ts', '.test.ts')}';`,
    );
    writeFileSync(join(folder, 'all.test.ts'), tests.join('\n'));
    const { stdout } = await tsx('all.test.ts').catch((error) => error as { stdout: string });
    expect(stdout.match(/^not ok .*|^ {4}.*(?:Error|expected).*/gm) ?? []).toEqual([]);
    expect(stdout).toMatch(/^# fail 0$/m);
  }, 120_000);

  it.each([
    ['csv-route-redis', 300],
    ['topic-avro-count-clickhouse', 500],
    ['topic-protobuf-count-kafka', 500],
    ['topic-micros-learn-clickhouse', 500],
    ['topic-spaced-count-redis', 300],
    ['csv-without-header-count-clickhouse', 300],
  ])(
    'run at once: %s',
    async (name, records) => {
      const at = join(folder, name);
      const read: number[] = [];
      for (const step of steps.get(name)?.steps ?? []) {
        const [line = '', input] = step.split(' < ');
        const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
        if (args[0] === 'run') args.push('--json');
        const text = input === undefined ? '' : readFileSync(join(at, input), 'utf8');
        const { code, out, err } = await millrace(args, { folder: at, input: text });
        expect([step, code, err]).toEqual([step, 0, '']);
        if (args[0] === 'run') {
          const summary = JSON.parse(out);
          read.push(...Object.values<number>(summary.read));
          expect(summary.deadLetters).toEqual({});
          expect(Math.max(...Object.values<number>(summary.written))).toBeGreaterThan(0);
        }
      }
      expect(read).toEqual([records]);
    },
    120_000,
  );
});

const tsx = (file: string) => {
  const loader = join(repository, 'node_modules/tsx/dist/esm/index.mjs');
  // Versions of Node differ in the reporter that they have where they are not told.
  const args = ['-C', 'millrace-source', '--import', loader, '--test-reporter=tap', file];
  return run(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH },
    maxBuffer: 64 * 1024 * 1024,
  });
};
