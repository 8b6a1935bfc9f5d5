import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  lookupContract,
  MemoryProfile,
  sinkContract,
  sinkFaults,
  sourceContract,
  sourceFaults,
} from 'millrace/testing';
import { lines } from './lines/index.js';
import { linesLookup, linesSink, linesSource } from './lines/open.js';

/** A folder of its own for each check. */
function folderFor() {
  const folder = mkdtempSync(join(tmpdir(), 'lines-'));
  return { folder, close: async () => rmSync(folder, { recursive: true }) };
}

const source = async () => {
  const { folder, close } = folderFor();
  return {
    driver: linesSource(),
    source: lines.source<unknown>({ folder, partitions: 2, eventTime: () => 0 }),
    append: async (partition: number, records: readonly { readonly value: Uint8Array | null }[]) => {
      const bytes = records.flatMap(({ value }) => [value ?? Buffer.alloc(0), Buffer.from('\n')]);
      appendFileSync(join(folder, `${partition}.ndjson`), Buffer.concat(bytes));
    },
    // A line has neither a key nor headers nor a time of its own, and there are no tombstones.
    kept: ({ value }: { readonly value: Uint8Array | null }) =>
      value === null ? undefined : { key: null, value, timestampMs: 0 },
    close,
  };
};

const sink = async () => {
  const { folder, close } = folderFor();
  const ledgers = new MemoryProfile(2);
  return {
    driver: linesSink(),
    sink: lines.sink<unknown>({ folder }),
    openLedger: (task: { topology: string; partition: number }) => ledgers.openLedger(task),
    value: (n: number) => ({ n }),
    visible: async () =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.ndjson') && !name.startsWith('.'))
        .sort()
        .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).n as number),
    close,
  };
};

const lookup = async () => {
  const { folder, close } = folderFor();
  const file = join(folder, 'companies.ndjson');
  appendFileSync(file, '');
  return {
    driver: linesLookup(),
    lookup: lines.lookup<unknown>({ file, key: 'symbol' }),
    key: (n: number) => `S${n}`,
    value: (n: number) => ({ symbol: `S${n}`, name: `Company ${n}` }),
    put: async (numbers: readonly number[]) => {
      const rows = numbers.map((n) => `${JSON.stringify({ symbol: `S${n}`, name: `Company ${n}` })}\n`);
      appendFileSync(file, rows.join(''));
    },
    close,
  };
};

for (const { name, run } of sourceContract(source)) test(`lines.source: ${name}`, run);
/** For the fault list: lines that are numbers. */
const numbered = async () => {
  const world = await source();
  return {
    ...world,
    append: (numbers: readonly number[]) =>
      world.append(
        0,
        numbers.map((n) => ({ value: Buffer.from(String(n)) })),
      ),
    numberOf: ({ value }: { readonly value: Uint8Array | null }) => Number(Buffer.from(value ?? []).toString()),
  };
};
for (const { name, run } of sourceFaults({ crash: 'is restored' }, numbered)) test(`lines.source: ${name}`, run);
for (const { name, run } of sinkContract('prepared', sink)) test(`lines.sink: ${name}`, run);
// Files have no network: of the fault list, a crash is what can befall them.
for (const { name, run } of sinkFaults({ mode: 'prepared', expected: { crash: 'is restored' } }, sink))
  test(`lines.sink: ${name}`, run);
for (const { name, run } of lookupContract(lookup)) test(`lines.lookup: ${name}`, run);

test('lines.source does not take a line before it is complete', async () => {
  const { folder, close } = folderFor();
  const file = join(folder, '0.ndjson');
  const at = { task: { topology: 'test', partition: 0 }, partition: 0, offset: 0, bounded: false, step: 'in' };
  const reader = await linesSource().open(lines.source<unknown>({ folder, eventTime: () => 0 }), at);
  assert.equal(existsSync(file), false);
  assert.deepEqual((await reader.poll(10)).records, []);
  appendFileSync(file, '{"a":');
  assert.deepEqual((await reader.poll(10)).records, []);
  appendFileSync(file, '1}\n');
  assert.deepEqual(
    (await reader.poll(10)).records.map(({ value }) => String(value)),
    ['{"a":1}'],
  );
  await reader.close();
  await close();
});

test('lines.lookup refuses a file that is too long for its memory', async () => {
  const { folder, close } = folderFor();
  const file = join(folder, 'companies.ndjson');
  appendFileSync(file, '{"symbol":"A"}\n{"symbol":"B"}\n');
  const reader = await linesLookup().open(lines.lookup<unknown>({ file, key: 'symbol', linesMax: 1 }), 'company');
  await assert.rejects(reader.get(['A'], new AbortController().signal), { code: 'lookup', permanent: true });
  await close();
});

test('options are checked', () => {
  const { problems = [] } = lines.lookup({ file: '', key: 'symbol', linesMax: 0 });
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['file is of type string', 'linesMax is 0'],
  );
});
