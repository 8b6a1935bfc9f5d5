import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { millrace, userFolder } from '../millrace.js';

const orders = (name: string, exported = name) => `
import { filter, json, topology } from 'millrace';
import { kafka } from 'millrace/connectors/kafka';
interface Order { readonly id: string }
const deadLetters = kafka.deadLetterSink({ topic: '${name}.dead' });
export const ${exported} = topology('${name}', { deadLetters }, (t) => {
  t.source('in', kafka.source({ topic: '${name}.in', schema: json<Order>() }))
    .via('named', filter((order) => order.id !== ''))
    .to('out', kafka.sink({ topic: '${name}.out', schema: json<Order>() }));
});
`;

const { folder, remove } = userFolder({
  'orders.ts': orders('orders'),
  'two.ts': `${orders('orders')}\nexport { returns } from './returns.js';`,
  'returns.ts': orders('returns'),
  'none.ts': 'export const nothing = { steps: 1 };',
  'syntax.ts': 'export const fine = 1;\nconst broken: = 2;\n',
  'throws.ts':
    "import './returns.js';\nconst late: { at: string } | undefined = undefined;\n\nexport const at = late!.at;\n",
  'export.ts': "import { nonsense } from 'millrace';\nexport const x = nonsense;\n",
  'package.ts': "import { x } from 'not-installed';\nexport const y = x;\n",
  'deep.ts': "import './lib/thrower.js';\n",
  'lib/thrower.ts': "const one = 1;\nif (one) throw new Error('not today');\nexport {};\n",
  'wrong.ts': orders('orders').replace("'named'", "'in'").replace('orders.out', 'orders.in'),
  'plain.mjs': "export const topologies = 'plain JavaScript, without one';",
  'null.ts': 'throw null;\n',
  'undefined.ts': 'throw undefined;\n',
  'object.ts': 'throw { a: 1 };\n',
  'syntax.mjs': 'export const a = 1;\nexport const b = (;\n',
  'rejects.ts': `${orders('orders')}\nsetTimeout(() => Promise.reject(new Error('later')), 20);\n`,
  'waits.ts': `${orders('orders')}\nawait new Promise(() => {});\n`,
  'exits.ts': 'export const x = 1;\nprocess.exit(0);\n',
  'waiting/millrace.config.ts': 'export default await new Promise(() => {});\n',
  'waiting/orders.ts': orders('orders'),
  'common/package.json': '{ "type": "commonjs" }',
  'common/orders.ts': orders('orders'),
});
afterAll(remove);

const check = (...args: string[]) => millrace(['check', ...args], { folder });
const failure = async (file: string) => JSON.parse((await check(file, '--json')).out).error;

describe('check, on files of a user', () => {
  it('loads TypeScript without a build step', async () => {
    expect(await check('orders.ts')).toEqual({ code: 0, out: 'orders: no problems found\n', err: '' });
  });

  it('loads it as a module where package.json says CommonJS', async () => {
    expect(await check('common/orders.ts')).toMatchObject({ code: 0, out: 'orders: no problems found\n' });
  });

  it('reports all problems with exit code 1', async () => {
    const { code, out } = await check('wrong.ts', '--json');
    expect(code).toBe(1);
    const { topology, problems } = JSON.parse(out);
    expect(topology).toBe('orders');
    expect(problems.map(({ where }: { where: string }) => where)).toEqual(['in', 'out']);
  });

  it('wants a name where a file exports several, by export or by topology', async () => {
    expect(await failure('two.ts')).toEqual({
      code: 'config',
      message: 'exports 2 topologies: orders, returns',
      where: 'two.ts',
      hint: 'choose one: two.ts#orders',
    });
    expect((await check('two.ts#returns')).out).toBe('returns: no problems found\n');
    expect(await failure('two.ts#refunds')).toMatchObject({
      message: 'exports no topology "refunds"',
      hint: 'it has: orders, returns',
    });
  });

  it.each([
    ['none.ts', 'exports no topology, only nothing (object)', 'none.ts'],
    ['plain.mjs', 'exports no topology, only topologies (string)', 'plain.mjs'],
    ['missing.ts', 'no such file', 'missing.ts'],
    ['syntax.ts', 'does not parse: Unexpected "="', 'syntax.ts:2:14'],
    ['syntax.mjs', "does not parse: Unexpected token ';'", 'syntax.mjs:2'],
    ['lib', 'is a folder', 'lib'],
    ['', 'is a folder', folder],
    ['throws.ts', "Cannot read properties of undefined (reading 'at')", 'throws.ts:4'],
    ['export.ts', "The requested module 'millrace' does not provide an export named 'nonsense'", 'export.ts:1'],
    ['package.ts', 'cannot find not-installed', 'package.ts'],
    ['null.ts', 'the file throws null', 'null.ts'],
    ['undefined.ts', 'the file throws undefined', 'undefined.ts'],
    ['object.ts', 'the file throws { a: 1 }', 'object.ts'],
    ['deep.ts', 'not today', 'lib/thrower.ts:2'],
  ])('says what is wrong with %s, and where', async (file, message, where) => {
    const error = await failure(file);
    expect(error).toMatchObject({ code: 'config', message, hint: expect.stringMatching(/./) });
    expect(error.where.replace(/(\.ts:\d+):\d+$/, file === 'syntax.ts' ? '$&' : '$1')).toBe(where);
  });

  it('prints what, where and hint, and a stack only with --verbose', async () => {
    const { code, err } = await check('throws.ts');
    expect(code).toBe(1);
    expect(err).toMatch(/^error \(config\): Cannot read .*\n {2}where: throws.ts:4\S*\n {2}hint: .*\n$/);
    expect((await check('throws.ts', '--verbose')).err).toMatch(/caused by TypeError: [^\n]*\n +at /);
  });

  it.each(['check', 'run'])('%s fails where the file waits for a promise that never settles', async (command) => {
    const { code, out, err } = await millrace([command, 'waits.ts'], { folder });
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/^error \(config\): a top-level `await` never settles\n {2}where: waits\.ts\n {2}hint: .+\n$/);
  });

  it('fails where millrace.config.ts waits for ever', async () => {
    const waiting = await millrace(['run', 'orders.ts', '--json'], { folder: join(folder, 'waiting') });
    expect(waiting.code).toBe(1);
    expect(JSON.parse(waiting.out).error).toMatchObject({
      message: 'a top-level `await` never settles',
      where: expect.stringMatching(/millrace\.config\.ts$/),
    });
  });

  it('fails where the file ends the process while it is loaded', async () => {
    const { code, err } = await check('exits.ts');
    expect(code).toBe(1);
    expect(err).toMatch(/^error \(config\): the file ends the process while it is loaded\n {2}where: exits\.ts:2\S*\n/);
  });

  it('names the line of what is rejected or thrown later, which nothing catches', async () => {
    const { code, err } = await check('rejects.ts');
    expect(code).toBe(1);
    expect(err).toMatch(/^error \(config\): later\n {2}where: rejects\.ts:\d+\S*\n {2}hint: .+\n$/);
  });
});
