import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lastingPorts } from '../ports.js';
import { millrace, startMillrace, userFolder } from './millrace.js';

const { folder, remove } = userFolder();
const file = join(folder, 'payments.ts');
const sample = (name: string) =>
  readFileSync(join(folder, `data/${name}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n');
let dev: ReturnType<typeof startMillrace>;
let printed = '';

async function ok(args: readonly string[], input = ''): Promise<void> {
  const { code, err } = await millrace(args, { folder, input });
  expect([args.join(' '), code, err]).toEqual([args.join(' '), 0, '']);
}

const produce = (name: 'payment' | 'review', time: string, lines: readonly string[]) =>
  ok(['produce', `${name}s.v1`, '--schema', `schemas/${name}.v1.avsc`, '--time', time], `${lines.join('\n')}\n`);

/** Resolves when what is printed from now on contains this. */
async function prints(pattern: RegExp, after: () => Promise<void> | void): Promise<void> {
  const before = printed.length;
  await after();
  await expect.poll(() => printed.slice(before), { timeout: 60_000, interval: 100 }).toMatch(pattern);
}

beforeAll(async () => {
  await ok(['init', '--json']);
  await produce('payment', 'paidAt', sample('payments').slice(0, 20));
  await produce('review', 'reviewedAt', sample('reviews').slice(0, 20));
  const [port] = await lastingPorts(1);
  dev = startMillrace(['dev', 'payments.ts', '--port', `${port}`], { folder });
  for (const stream of [dev.process.stdout, dev.process.stderr]) stream.on('data', (data) => (printed += data));
}, 120_000);
afterAll(async () => {
  dev.process.kill('SIGKILL');
  await dev.ended;
  remove();
});

it('prints what a run writes, runs again with its state after a change, and leaves it alone after a wrong one', async () => {
  await prints(/new records of scores are printed/, () => undefined);
  await prints(/scores: .*"fraud-model.* read \(0\/s\)/s, async () => {
    await produce('payment', 'paidAt', sample('payments').slice(20));
    await produce('review', 'reviewedAt', sample('reviews').slice(20));
  });
  await prints(/payments.ts has changed.*new records of scores are printed/s, () => appendFileSync(file, '// right\n'));

  // A model that had begun anew would be of version 0.0.
  const last = (name: string) =>
    sample(name)
      .slice(-5)
      .map((line) => line.replace('"paymentId":"p', '"paymentId":"new'));
  await prints(/scores: .*"new.*"fraud-model\.0\.[1-9]/, async () => {
    await produce('payment', 'paidAt', last('payments'));
    await produce('review', 'reviewedAt', last('reviews'));
  });

  const right = readFileSync(file, 'utf8');
  await prints(/hint:.*the run goes on as it was/s, () =>
    writeFileSync(file, right.replace('alpha: 0.1', 'alpha: -1')),
  );

  dev.process.kill('SIGTERM');
  const { code, out } = await dev.ended;
  expect(code).toBe(0);
  expect(out).toMatch(/dead letters.*read in this run/s);
}, 180_000);
