import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type Answers, isStarter, planOf } from '../../../src/cli/init/complete.js';
import { targetKinds } from '../../../src/cli/init/places.js';
import { tasks } from '../../../src/cli/init/plan.js';
import { projectOf } from '../../../src/cli/init/project.js';
import { likelyTime } from '../../../src/cli/init/samples/fields.js';
import { shapeOfRegistered } from '../../../src/cli/init/shape.js';
import { writeFiles } from '../../../src/cli/init/write-files.js';
import { starterFiles } from '../../../src/cli/starter/index.js';
import { priced } from '../../inference/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'millrace-init-'));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const rides = file(
  'rides.csv',
  'ride_id;started at;km;member\n1;2026-01-01 10:00:00;1,5;true\n2;2026-01-01 09:30:00;;false\n',
);
const hint = (answers: Answers) =>
  planOf(answers, folder, async () => 99).then(
    () => 'no error',
    (error: { message: string; hint: string }) => `${error.message}: ${error.hint}`,
  );

const textOf = ({ message, hint }: { message: string; hint: string }) => `${message}: ${hint}`;

describe('answers', () => {
  afterAll(() => rmSync(folder, { recursive: true }));

  it('that are left at their defaults are the starter', () => {
    expect(isStarter({})).toBe(true);
    expect(isStarter({ from: 'sample', do: 'learn', to: 'kafka', key: undefined })).toBe(true);
    expect(isStarter({ to: 'redis' })).toBe(false);
    expect(isStarter({ key: 'card' })).toBe(false);
  });

  it('are completed by what a file holds', async () => {
    const { name, input, label } = await planOf({ from: rides }, folder);
    expect(name).toBe('rides');
    expect(input.shape.fields.map(({ name: field, type }) => `${field}: ${type}`)).toEqual([
      'ride_id: number',
      'started at: string',
      'km: number | null',
      'member: boolean',
    ]);
    expect([input.key.name, input.time?.name, label?.field.name]).toEqual(['ride_id', 'started at', 'member']);
    expect(input.shape.header).toBe(true);
  });

  it('make times that do not depend on the machine, and wait for rows that are out of order', async () => {
    const text = projectOf(await planOf({ from: rides }, folder)).files.get('rides.ts');
    expect(text).toContain(['Date.parse(`$', "{ride['started at']}Z`)"].join(''));
    expect(text).toContain('outOfOrdernessMax: minutes(30)');
  });

  it('read dates and numbers as people write them, and say how', async () => {
    const sold = (first: string, second: string) =>
      file('sold.csv', `id;on;euro\na;${first};1.234,50\nb;${second};7,1\n`);
    const made = async (first: string, second: string, answers: Answers = {}) => {
      const { files, notes } = projectOf(await planOf({ from: sold(first, second), do: 'count', ...answers }, folder));
      return { notes, schema: files.get('schemas/sold.v1.ts'), text: files.get('sold.ts') };
    };
    const german = await made('02.01.2026', '1.2.2026 12:30');
    expect(german.notes).toEqual([
      'on: 02.01.2026 is 2026-01-02T00:00:00.000Z (--dates)',
      'numbers have a decimal comma',
    ]);
    expect(german.schema).toContain("decimal: ',',\n  dates: 'dmy',");
    expect(german.text).toContain('eventTime: (soldRecord) => soldRecord.on.getTime()');
    expect((await made('1/2/2026', '12/31/2026')).schema).toContain("dates: 'mdy'");
    await expect(made('1/2/2026', '3/4/2026')).rejects.toMatchObject({
      message: 'the rows do not tell whether 1/2/2026 in on begins with the day',
      hint: '--dates dmy: the day is first; --dates mdy: the month is',
    });
    expect((await made('1/2/2026', '3/4/2026', { dates: 'dmy' })).notes[0]).toBe(
      'on: 1/2/2026 is 2026-02-01T00:00:00.000Z (--dates)',
    );
  });

  it('take the time that a schema declares, and no latitude', async () => {
    const text = JSON.stringify({
      type: 'record',
      name: 'Quake',
      fields: [
        { name: 'lat', type: 'double' },
        { name: 'occurred', type: { type: 'long', logicalType: 'timestamp-millis' } },
      ],
    });
    const options = { name: 'quakes', subject: 'quakes-value', folder, plain: false };
    const { fields, rows } = await shapeOfRegistered({ format: 'avro', text, references: [] }, options);
    expect(likelyTime(fields, rows)?.name).toBe('occurred');
    expect(likelyTime(fields.slice(0, 1), rows)).toBeUndefined();
  });

  it('make no events for a topic whose schema is registered', async () => {
    const plan = await planOf({ from: 'kafka:visits.v1', do: 'count', to: 'clickhouse' }, folder);
    const text = JSON.stringify({
      type: 'record',
      name: 'Visit',
      fields: [
        { name: 'visitId', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      ],
    });
    const options = { name: 'visits', subject: 'visits.v1-value', folder, plain: false };
    const shape = await shapeOfRegistered({ format: 'avro', text, references: [] }, options);
    const [key] = shape.fields;
    const { files, steps } = projectOf({ ...plan, input: { ...plan.input, shape, key: key ?? plan.input.key } });
    expect([...files.keys()].filter((path) => path.startsWith('data/'))).toEqual([]);
    expect(steps).toEqual([
      'millrace check visits.ts --profile cluster',
      'millrace run visits.ts --until-end --profile cluster',
      expect.stringMatching(/^millrace query ".*" --profile cluster$/),
    ]);
    expect(projectOf(plan).steps[1]).toMatch(/^millrace produce visits\.v1 .* < data\/visits\.ndjson$/);
  });

  it.each([
    [1_767_225_600, 'seconds', ' * 1_000'],
    [1_767_225_600_000, 'milliseconds', ''],
    [1_767_225_600_000_000, 'microseconds', ' / 1_000'],
    [1.7672256e18, 'nanoseconds', ' / 1_000_000'],
  ])('find the unit of times that are numbers: %d', async (at, unit, scale) => {
    const from = file('ticks.ndjson', `{"id":"a","at":${at}}\n`);
    const { files, notes } = projectOf(await planOf({ from, do: 'count' }, folder));
    expect(notes).toEqual([`at: numbers are ${unit} since 1970`]);
    expect(files.get('ticks.ts')).toContain(`eventTime: (tick) => tick.at${scale} })`);
  });

  it.each<[Answers, string]>([
    [
      { from: file('texts.ndjson', '{"at":"31.01.2026"}\n'), time: 'at' },
      'at has "31.01.2026", which is no time in ISO 8601',
    ],
    [{ from: 'kafak:x' }, '--from is "kafak:x": give one of sample, kafka, file, http, redis'],
    [{ to: 'mongo' }, '--to is "mongo": give one of kafka, clickhouse'],
    [{ from: join(folder, 'none.csv') }, 'there is no file'],
    [{ from: rides, key: 'rideId' }, 'a Ride has no field rideId: there are: ride_id, started at, km, member'],
    [{ from: rides, label: 'km' }, 'km is neither true nor false: name what to predict'],
    [{ from: rides, do: 'score' }, 'no model is given: give the ONNX file'],
    [{ from: rides, do: 'score', model: rides }, 'the model takes 99 numbers, more than a record has'],
    [{ from: file('untimed.ndjson', '{"id":"a"}\n') }, 'looks like a time: --time FIELD; there are: id'],
    [
      { from: file('broken.ndjson', '{"id":\n') },
      'a row cannot be read: Unexpected end of JSON input: give one JSON value per line',
    ],
    [{ from: file('empty.ndjson', '') }, 'is empty'],
    [{ from: file('header.csv', 'id,at,ok\n') }, 'header.csv has a header and no rows: give a file with some rows'],
    [{ from: file('proto.csv', '__proto__,at\na,2026-01-01\n') }, 'cannot have a field __proto__'],
    [{ from: file('some.ndjson', '{"at":"2026-01-01","constructor":"a"}\n{}\n') }, 'cannot have a field constructor'],
    [{ from: file('proto.ndjson', '{"__proto__":"a"}\n') }, 'cannot have a field __proto__'],
  ])('that cannot be: %o', async (answers, expected) => {
    expect(await hint(answers)).toContain(expected);
  });

  it.each([
    ['ragged.csv', 'id,note\na,"two\nlines"\nb\n', 4, '1 cell where 2 columns are declared'],
    ['quote.csv', 'id,note\na,5" pipe\n', 2, 'a quote inside cell 2'],
    ['dates.csv', 'id,at\na,2026-01-01\nb,2026-13-45\n', 3, 'column at: "2026-13-45" is no date'],
    ['huge.csv', 'id,n\na,1e999\n', 2, 'column n: "1e999" is no number'],
    ['broken-later.ndjson', '{"id":"a"}\n{"id":\n', 2, 'Unexpected end of JSON input'],
  ])('name the row that cannot be read: %s', async (name, text, line, reason) => {
    const path = file(name, text);
    const message = `a row cannot be read: ${reason}`;
    await expect(planOf({ from: path }, folder)).rejects.toMatchObject({
      code: 'config',
      message,
      where: `${path}:${line}`,
    });
  });

  it('are never called as what the written files import', async () => {
    const model = rides; // looked at by nothing here
    for (const task of tasks) {
      for (const to of targetKinds) {
        const { files } = projectOf(await planOf({ from: rides, do: task, to, model }, folder, async () => 1));
        const text = `${files.get('rides.ts')}${files.get('rides.test.ts')}`;
        const imported = [...text.matchAll(/^import \{(.*?)\} from '(?!\.)/gms)]
          .flatMap(([, names = '']) => names.split(','))
          .map((name) => name.trim())
          .filter((name) => /^[a-z]\w+$/.test(name));
        expect(imported).toContain('topology');
        for (const name of imported) {
          const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter}`);
          expect((await planOf({ from: rides, name: words }, folder)).name).toBe(`${words.toLowerCase()}-events`);
        }
      }
    }
    for (const name of ['runs', 'tests', 'dates', 'counted', 'otherwise'])
      expect((await planOf({ from: rides, name }, folder)).name).toBe(`${name}-events`);
  });

  it('ask of a model how many numbers it takes, and say that the features are a guess', async () => {
    const path = (name: string) => fileURLToPath(new URL(`../../inference/models/${name}.onnx`, import.meta.url));
    const score = (name: string) => planOf({ from: rides, do: 'score', model: path(name) }, folder);
    const { model } = await score('sigmoid');
    expect(model?.inputSize).toBe(3);
    expect(projectOf(await score('sigmoid')).files.get('rides.ts')).toContain('guessed from the fields');
    await expect(score('two-inputs')).rejects.toMatchObject({
      code: 'model',
      where: path('two-inputs'),
      hint: expect.stringMatching(
        /`inputs`.*; init writes steps for models with one input of numbers, or an input for/,
      ),
    });
  });

  it('fill a model with an input for each column by their names, and keep what it gives', async () => {
    const model = join(folder, 'flats.onnx');
    writeFileSync(model, priced({ Bonn: 3, Ulm: 2 }));
    const rows = 'id,at,City,area m2,is-new\n1,2026-01-01,Bonn,80,true\n2,2026-01-02,Ulm,,false\n';
    const plan = await planOf({ from: file('flats.csv', rows), do: 'score', model }, folder);
    const text = projectOf(plan).files.get('flats.ts') ?? '';
    expect(text).toContain('city: (flat: Flat) => ({ shape: [1], data: [flat.City] }),');
    expect(text).toContain("area_m2: (flat: Flat) => ({ shape: [1], data: Float64Array.of(flat['area m2'] ?? 80) }),");
    expect(text).toContain(
      "isNew: (flat: Flat) => ({ shape: [1], data: Uint8Array.of(Number(Boolean(flat['is-new']))) }),",
    );
    expect(text).toContain("outputs: { price: { type: 'float64', shape: [1] }, known: { type: 'bool', shape: [1] } },");
    expect(text).toContain('price: flat.inferred.outputs.price[0] as number,');
    expect(text).toContain('known: flat.inferred.outputs.known[0] as boolean,');
    expect(text).not.toContain('guessed');

    const lacking = file('houses.csv', 'id,at,area m2,is-new\n1,2026-01-01,80,true\n');
    expect(await planOf({ from: lacking, do: 'score', model }, folder).catch(textOf)).toBe(
      "the model takes 'city', and a House has no such field: its fields: id, at, area m2, is-new",
    );
    const wrong = file('rooms.csv', 'id,at,City,area m2,is-new\n1,2026-01-01,Bonn,large,true\n');
    expect(await planOf({ from: wrong, do: 'score', model }, folder).catch(textOf)).toBe(
      "the model's input 'area_m2' is of type float64, and area m2 of a Room holds string: " +
        'give records in which it is a number, or a schema that says so',
    );
  });

  it('give each output of a model a name of its own, beside the key and the time', async () => {
    const from = file('huts.csv', 'id,at,size\n1,2026-01-01,80\n');
    const plan = await planOf({ from, do: 'score', model: rides }, folder, async () => 1);
    const outputs = ['id', 'id_', 'at', 'at_'].map((name) => ({ name, type: 'float32', shape: [] }) as const);
    const { files } = projectOf({ ...plan, model: { path: rides, columns: { inputs: [], outputs } } });
    const [, fields = ''] = /interface Scored \{(.*?)\}/s.exec(files.get('huts.ts') ?? '') ?? [];
    expect([...fields.matchAll(/readonly (\w+)/g)].map(([, name]) => name)).toEqual(
      'id at id_ id__ at_ at__'.split(' '),
    );
    const tested = [...(files.get('huts.test.ts') ?? '').matchAll(/scored\?\.\['(\w+)'\]/g)].map(([, name]) => name);
    expect(tested).toEqual(['id_', 'id__', 'at_', 'at__']);
  });

  it.each([
    ['others', 'gates', 'others-ones'],
    ['sound', 'sound-ones', 'sound-ones-ones'],
    ['route', 'gates', 'route-ones'],
    ['open', 'by-open', 'open-ones'],
    ['open', 'gates', 'open'],
  ])('call a route by %s of %s so that nothing else is called like it: %s', async (flag, name, output) => {
    const from = file('gates.csv', `id,at,${flag}\n1,2026-01-01,true\n2,2026-01-02,false\n`);
    for (const to of ['kafka', 'kafka:gate', 'clickhouse', 'redis', 'file', 'postgres']) {
      const text = projectOf(await planOf({ from, name, do: 'route', to }, folder)).files.get(`${name}.ts`) ?? '';
      const ids = [...text.matchAll(/\.(?:source|via|split|to)\('(.*?)'/g)].map(([, id]) => id);
      expect(ids).toContain(output);
      expect(new Set(ids).size).toBe(ids.length);
      const targets = [...text.matchAll(/(?:topic|table|folder): '(.*?)'|key: \(row\) => `(.*?:)\$/g)].map(
        ([, place, prefix]) => place ?? prefix,
      );
      expect(new Set(targets).size).toBe(3);
    }
  });

  it('compare a label with any text', async () => {
    const names = file('names.csv', "id,at,name\na,2026-01-01,it's\nb,2026-01-02,other\n");
    const plan = await planOf({ from: names, label: "name=it's" }, folder);
    expect(projectOf(plan).files.get('names.ts')).toContain("String(name.name) === 'it\\'s'");
  });

  it('do not tell records apart by ids that were rounded', async () => {
    const rounded = file('rounded.ndjson', '{"id":9007199254740993,"at":"2026-01-01","ok":true}\n');
    expect((await planOf({ from: rounded }, folder)).input.shape.identity).toBeUndefined();
  });

  it('take labels from elsewhere, by the key of the same name', async () => {
    const labels = file('returns.ndjson', '{"ride_id":1,"at":"2026-01-02T00:00:00Z","returned":true}\n');
    const plan = await planOf({ from: rides, labels, label: 'returned' }, folder);
    expect(plan.labels?.id).toBe('returns');
    const text = projectOf(plan).files.get('rides.ts') ?? '';
    expect(text).toContain("const labels = t.source('returns', file.source(");
    expect(text).toContain('label: { key: (_return) => _return.ride_id');
  });

  it('tell records and labels apart, also where a letter divides their names', async () => {
    const order = file('order.ndjson', '{"id":"a","at":"2026-01-01"}\n');
    const labels = file('orders.ndjson', '{"id":"a","at":"2026-01-02","returned":true}\n');
    const plan = await planOf({ from: order, labels }, folder);
    expect([plan.input.id, plan.labels?.id]).toEqual(['order', 'orders-labels']);
    expect([plan.input.shape.record, plan.labels?.shape.record]).toEqual(['Order', 'OrdersLabel']);
    const schema = file(
      'event.avsc',
      '{"type":"record","name":"Event","fields":[{"name":"id","type":"string"},{"name":"ok","type":"boolean"}]}',
    );
    expect(await hint({ from: 'kafka:a', labels: 'kafka:b', schema, labelsSchema: schema })).toBe(
      'the records and the labels are both of type Event: give one of the two another name in its schema, or another --name',
    );
  });

  it('refuse topics that check would refuse afterwards', async () => {
    const schema = file(
      'order.json',
      '{"type":"object","properties":{"id":{"type":"string"},"ok":{"type":"boolean"}}}',
    );
    const said = (answers: Answers) => hint({ schema, labelsSchema: schema, do: 'learn', label: 'ok', ...answers });
    const names = 'names have 1 to 249 letters, digits, dots, underscores and hyphens, such as payments.v1';
    expect(await said({ from: 'kafka:a b' })).toBe(`'a b' cannot be the name of a topic: ${names}`);
    expect(await said({ from: 'kafka:orders.v1', to: 'kafka:größen' })).toBe(
      `'größen' cannot be the name of a topic: ${names}`,
    );
    expect(await said({ from: 'kafka:orders.v1', to: 'kafka:orders.v1' })).toBe(
      'the topic orders.v1 is that of --from too: give another topic',
    );
    expect(await said({ from: 'kafka:orders.v1', to: 'kafka:orders.dead' })).toBe(
      'the topic orders.dead is that of dead letters too: give another topic',
    );
    expect(await said({ from: 'kafka:orders.v1', labels: 'kafka:orders.v1' })).toBe(
      'the topic orders.v1 is that of --from too: give another topic',
    );
    const long = await planOf({ from: `kafka:${'orders.'.repeat(30)}v1`, schema, do: 'count' }, folder);
    expect(long.name).toBe('orders-orders-orders-orders-orders-orders-orders');
  });

  it('never overwrite, and leave nothing behind that failed half-way', () => {
    const at = join(folder, 'half');
    const files = new Map([
      ['a.ts', 'a'],
      ['data/b.ts', 'b'],
    ]);
    expect(writeFiles(at, files)).toEqual(['a.ts', 'data/b.ts']);
    expect(() => writeFiles(at, new Map([['a.ts', 'new']]))).toThrow('files exist already: a.ts');
    expect(readFileSync(join(at, 'a.ts'), 'utf8')).toBe('a');
    const broken = new Map([
      ['c/d.ts', 'd'],
      ['a.ts/e.ts', 'below a file'],
    ]);
    expect(() => writeFiles(at, broken)).toThrow();
    expect(readdirSync(at).sort()).toEqual(['a.ts', 'data']);
  });

  it('give a package.json what it lacks, and change nothing that it has', () => {
    const at = join(folder, 'there');
    mkdirSync(at);
    const path = join(at, 'package.json');
    const files = starterFiles();
    writeFileSync(path, '{ "name": "mine", "scripts": { "test": "jest" }, "dependencies": { "millrace": "1" } }');
    expect(writeFiles(at, new Map([['package.json', files.get('package.json') ?? '']]))).toEqual(['package.json']);
    const { devDependencies, ...others } = JSON.parse(readFileSync(path, 'utf8'));
    expect(others).toEqual({
      name: 'mine',
      scripts: { test: 'jest', typecheck: 'tsc' },
      dependencies: { millrace: '1' },
    });
    expect(Object.keys(devDependencies)).toContain('typescript');
    expect(writeFiles(at, new Map([['package.json', files.get('package.json') ?? '']]))).toEqual([]);
    writeFileSync(path, '{');
    expect(() => writeFiles(at, files)).toThrow('is no JSON');
    expect(readdirSync(at)).toEqual(['package.json']);
  });

  it('make ES modules of a folder only if nobody has a project there', () => {
    const at = join(folder, 'typed');
    mkdirSync(at);
    const path = join(at, 'package.json');
    const files = new Map([['package.json', starterFiles().get('package.json') ?? '']]);
    const typeAfter = (text: string) => {
      writeFileSync(path, text);
      writeFiles(at, files);
      const { type, private: isPrivate } = JSON.parse(readFileSync(path, 'utf8'));
      return { type, isPrivate };
    };
    expect(typeAfter('{ "dependencies": { "millrace": "1" } }')).toEqual({ type: 'module', isPrivate: true });
    expect(typeAfter('{ "name": "mine", "main": "index.js" }')).toEqual({});
    expect(typeAfter('{ "name": "mine", "type": "commonjs" }')).toEqual({ type: 'commonjs' });
  });
});
